package import Domain
import EventStore
import GRDB
import GRDBSQLite

/// The search index of runs: a table of FTS5 that holds words and positions, and no text.
enum SearchIndex {
    /// The pages that one step of a rewrite writes, about.
    private static let stepPages = 500

    static let creation = """

        CREATE VIRTUAL TABLE run_text USING fts5(
            workspace, agent, user, reason, tools, content = '', columnsize = 0,
            tokenize = "unicode61 remove_diacritics 2");
        CREATE TABLE run_text_deletions (id INTEGER PRIMARY KEY CHECK (id = 1), count INTEGER NOT NULL) STRICT;
        INSERT INTO run_text_deletions (id, count) VALUES (1, 0);
        """

    /// From SQLite 3.42 on, FTS5 takes the words of a deleted row out at once. Before, it writes that they are deleted,
    /// and they stay until their part of the index is rewritten.
    private static var canDeleteSecurely: Bool { sqlite3_libversion_number() >= 3_042_000 }

    static func configure(_ db: Database) throws {
        guard canDeleteSecurely else { return }
        try db.execute(sql: "INSERT INTO run_text (run_text, rank) VALUES ('secure-delete', 1)")
    }

    /// Deleted runs whose words may be left in the index, or in the write-ahead log.
    static func deletedCount(_ db: Database) throws -> Int {
        try Int.fetchOne(db, sql: "SELECT count FROM run_text_deletions") ?? 0
    }

    /// True when FTS5 takes the words of a deleted row out by itself.
    static func deletesSecurely(_ db: Database) throws -> Bool {
        try Int.fetchOne(db, sql: "SELECT v FROM run_text_config WHERE k = 'secure-delete'") == 1
    }

    /// Writes a part of the index again without what was deleted.
    ///
    /// - Returns: false when nothing was left to write.
    static func rewriteStep(_ db: Database, isFirst: Bool) throws -> Bool {
        let before = db.totalChangesCount
        // The first step takes all parts of the index together; the later ones continue that.
        try db.execute(
            sql: "INSERT INTO run_text (run_text, rank) VALUES ('merge', ?)",
            arguments: [isFirst ? -stepPages : stepPages])
        // FTS5 counts the row of the command itself, and at least one more where it wrote something.
        return db.totalChangesCount - before >= 2
    }

    static func forgetDeleted(_ count: Int, _ db: Database) throws {
        try db.execute(sql: "UPDATE run_text_deletions SET count = count - ?", arguments: [count])
    }
}

extension Projections {
    /// True when words of runs that have expired may be left in the search index or the write-ahead log.
    package func hasDeletedText() async throws(ProjectionError) -> Bool {
        try await query { db in try SearchIndex.deletedCount(db) > 0 }
    }

    /// Takes what was deleted up to a position out of the search index, in steps between which events are applied, and
    /// then out of the write-ahead log.
    ///
    /// - Throws: when a reader holds on to it for long. `hasDeletedText` stays true until a call succeeds.
    package func purgeDeleted(through position: Position) async throws(ProjectionError) {
        try await reach(position)
        do {
            let (count, isRewritten) = try await pool.read { db in
                (try SearchIndex.deletedCount(db), try SearchIndex.deletesSecurely(db))
            }
            if count > 0, !isRewritten { try await rewriteSearchIndex() }
            try await checkpoint()
            if count > 0 { try await changingTables { db in try SearchIndex.forgetDeleted(count, db) } }
        } catch {
            throw .wrapping(error)
        }
    }

    private func rewriteSearchIndex() async throws {
        var isFirst = true
        while try await rewriteStep(isFirst: isFirst) { isFirst = false }
    }

    private func rewriteStep(isFirst: Bool) async throws -> Bool {
        try await changingTables { db in try SearchIndex.rewriteStep(db, isFirst: isFirst) }
    }

    private func changingTables<Value: Sendable>(
        _ change: @escaping @Sendable (Database) throws -> Value
    ) async throws -> Value {
        await turns.begin()
        defer { turns.end() }
        return try await pool.write(change)
    }
}
