package import Domain
package import EventStore
import Foundation
import GRDB
import Synchronization

extension Projections {
    /// Makes the read models anew from the log and puts them in the place of these, of which no byte is left.
    ///
    /// Following and reading go on meanwhile; only the last step, which copies the new file's pages over the old ones,
    /// holds up following.
    ///
    /// - Parameter position: what they have to show at least.
    package func renew(from store: EventStore, through position: Position) async throws {
        try await reach(position)
        let path = self.path + ".new"
        try Projections.delete(path: path)
        let successor = try Projections.open(path: path, isDisposable: true, logger: logger)
        do {
            try await successor.fold(store, through: store.durablePosition)
            try await take(the: successor, store)
            try successor.close()
        } catch {
            try? successor.close()
            try? Projections.delete(path: path)
            throw error
        }
        try Projections.delete(path: path)
    }

    /// Between two batches: brings the successor to the same position, and takes its pages.
    private func take(the successor: Projections, _ store: EventStore) async throws {
        await turns.begin()
        do {
            defer { turns.end() }
            try await successor.fold(store, through: position)
            _ = try await successor.settle()
            let source = successor.pool
            try await pool.writeWithoutTransaction { db in try source.read { try $0.backup(to: db) } }
            runs.withLock { $0.forget() }
        }
        // Readers of the moment may still need the old pages.
        while try await !isCheckpointed() { try await Task.sleep(for: .milliseconds(50)) }
    }

    /// Whether no old page is left; `false` when a reader is in the way.
    private func isCheckpointed() async throws -> Bool {
        do {
            try await checkpoint()
            return true
        } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
            return false
        }
    }
}
