import GRDB
import Logging

extension Projections {
    /// SQLite's page cache while many events are folded, in KiB; and otherwise, which is its default.
    private static let (foldingCache, restingCache) = (16_000, 2_000)
    /// Several past read models are open at the same time, and few ask each of them.
    private static let readersMax = 2

    /// Opens past read models in a new file at `path`, over the bases that `pages` has.
    static func openPast(
        path: String, _ pages: PastPages, logger: Logger
    ) throws(ProjectionError) -> Projections {
        PastFileSystem.put(pages, at: path)
        do {
            let projections = try open(path: path, isDisposable: true, readersMax: readersMax, logger: logger)
            try projections.pool.writeWithoutTransaction { db in
                try db.execute(sql: "PRAGMA cache_size = -\(foldingCache)")
            }
            return projections
        } catch {
            PastFileSystem.remove(path)
            throw .wrapping(error)
        }
    }

    /// True once a base that these past read models were made over turned out to be damaged: what they have read is
    /// right, and what they read next may fail.
    var standOnDamage: Bool { PastFileSystem.pages(at: path)?.view.isDamaged ?? false }

    /// Gives back the memory that folding took.
    func rest() async throws {
        try await pool.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA cache_size = -\(Self.restingCache)")
            try db.execute(sql: "PRAGMA shrink_memory")
        }
    }

    /// The pages of the whole database, those in the write-ahead log included.
    func pageCount() async throws(ProjectionError) -> Int {
        do {
            return try await pool.read { try Int.fetchOne($0, sql: "PRAGMA page_count") ?? 0 }
        } catch {
            throw noting(.wrapping(error))
        }
    }
}
