import GRDB

/// Every row of every table of a file, as text, in no order of the database's; of the search index the words and their
/// places, which are stored in as many ways as there are batches.
func tableRows(_ path: String) throws -> [String: [String]] {
    let queue = try DatabaseQueue(path: path)
    defer { try? queue.close() }
    return try queue.writeWithoutTransaction { db in
        let tables = try String.fetchAll(
            db,
            sql: """
                SELECT name FROM sqlite_schema
                WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'run_text%'
                """)
        var rows = try tables.reduce(into: [:]) { rows, table in
            rows[table] = try Row.fetchAll(db, sql: "SELECT * FROM \(table)").map(\.description).sorted()
        }
        try db.execute(sql: "CREATE VIRTUAL TABLE temp.words USING fts5vocab(main, run_text, instance)")
        rows["run_text"] = try Row.fetchAll(db, sql: "SELECT * FROM words").map(\.description).sorted()
        return rows
    }
}
