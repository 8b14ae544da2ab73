import Domain
import EventStore
import Foundation
import GRDB

extension Projections {
    /// Applies the log's events up to the position, which is durable.
    ///
    /// - Parameter check: called between two pages of events.
    func fold(_ store: EventStore, through end: Position, check: () throws -> Void = {}) async throws {
        while position < end {
            try Task.checkCancellation()
            try check()
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

    /// Puts all of it in the one file, and says how much of that has something in it.
    func settle() async throws(ProjectionError) -> Int {
        do {
            try await checkpoint()
            if let pages = PastFileSystem.pages(at: path) { return pages.ownBytes }
            return try FileManager.default.attributesOfItem(atPath: pool.path)[.size] as? Int ?? 0
        } catch {
            throw .wrapping(error)
        }
    }
}
