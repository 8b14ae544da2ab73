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
        await renewals.begin()
        defer { renewals.end() }
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
            progress.withLock { $0.begin() }
            do {
                try await overwrite(with: successor)
                try await reload()
            } catch {
                progress.withLock { $0.giveUp() }
                throw error
            }
            let (reached, new) = (self.position, successor.position)
            runs.withLock { $0.advance(to: new) }
            let waiters: [FollowingProgress.Waiter] = progress.withLock { progress in
                guard new > reached else {
                    progress.giveUp()
                    return []
                }
                return progress.advance(to: new)
            }
            for waiter in waiters { waiter.resume(returning: true) }
        }
        // Readers of the moment may still need the old pages.
        while try await !isCheckpointed() { try await Task.sleep(for: .milliseconds(50)) }
    }

    /// Copies every page. The first one is read before anything is written: where it is damaged, the new one is put
    /// into the file first.
    private func overwrite(with successor: Projections) async throws {
        let source = successor.pool
        do {
            try await pool.writeWithoutTransaction { db in try source.read { try $0.backup(to: db) } }
        } catch let error as DatabaseError where error.isDamage {
            let page = try FirstPage(of: successor.path)
            try await pool.writeWithoutTransaction { db in
                _ = try? db.checkpoint(.truncate)
                try page.write(to: db)
                try source.read { try $0.backup(to: db) }
            }
        }
    }

    /// True when no old page is left; false when a reader is in the way.
    private func isCheckpointed() async throws -> Bool {
        do {
            try await checkpoint()
            return true
        } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
            return false
        }
    }
}
