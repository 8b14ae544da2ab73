import GRDB

/// A part of a list, bounded in rows and in bytes, however long the list is.
package struct Page<Record: Sendable>: Sendable {
    /// At least one, unless the list ends here.
    package let records: [Record]
    /// Whether the list may go on after the last record.
    package let hasMore: Bool

    package init(records: [Record], hasMore: Bool) {
        self.records = records
        self.hasMore = hasMore
    }
}

extension Page {
    /// About how many bytes of records a page holds; one record is always let through.
    private static var bytesMax: Int { 1024 * 1024 }

    /// Reads the statement's first rows.
    ///
    /// - Parameter sizeBytes: about how much memory a record takes.
    init(
        _ db: Database, sql: String, _ arguments: StatementArguments, limit: Int, sizeBytes: (Record) -> Int,
        _ record: (Row) throws -> Record
    ) throws {
        let rows = try Row.fetchCursor(db, sql: sql + " LIMIT ?", arguments: arguments + [limit])
        var records: [Record] = []
        var byteCount = 0
        while byteCount < Self.bytesMax, let row = try rows.next() {
            let next = try record(row)
            byteCount += sizeBytes(next)
            records.append(next)
        }
        self.init(records: records, hasMore: byteCount >= Self.bytesMax || records.count == limit)
    }
}
