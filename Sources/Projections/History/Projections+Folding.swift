import Domain
import EventStore
import Foundation
import GRDB

extension Projections {
    /// Writes the read models as they are, at one position, to a new file. Its writer and readers go on meanwhile.
    func copy(to path: String) async throws(ProjectionError) {
        do {
            try await pool.read { source in
                let copy = try DatabaseQueue(path: path)
                try copy.writeWithoutTransaction { try source.backup(to: $0) }
                try copy.close()
            }
        } catch {
            throw noting(.wrapping(error))
        }
    }

    /// Applies the log's events up to the position, which is durable.
    func fold(_ store: EventStore, through end: Position) async throws {
        while position < end {
            try Task.checkCancellation()
            let page = try await store.read(
                from: position.next, through: end, limit: EventStore.pageEventsMax)
            // What is not kept up to there changes nothing, but this is its position all the same.
            guard !page.isEmpty else { return try await advance(to: end) }
            try await apply(page)
        }
    }

    /// Writes all pages to the file and empties the write-ahead log.
    ///
    /// - Throws: `SQLITE_BUSY` when a reader is in the way.
    func checkpoint() async throws {
        _ = try await pool.writeWithoutTransaction { try $0.checkpoint(.truncate) }
    }

    /// Puts all of it in the one file, and says how large that is.
    func settle() async throws(ProjectionError) -> Int {
        do {
            try await checkpoint()
            return try FileManager.default.attributesOfItem(atPath: pool.path)[.size] as? Int ?? 0
        } catch {
            throw .wrapping(error)
        }
    }
}
