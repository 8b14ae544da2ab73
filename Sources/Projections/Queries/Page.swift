import GRDB

/// A part of a list, bounded in rows and in bytes, however long the list is.
package struct Page<Record: Sendable>: Sendable {
    /// May be fewer than were asked for, or none, while the list continues.
    package let records: [Record]
    /// Whether the list may go on after the last record.
    package let hasMore: Bool
    /// The record that the next page begins after: the last one that was looked at, whether or not it matched.
    package let last: Record?

    /// - Parameter last: the last record that was looked at; that of `records` when there is no other.
    package init(records: [Record], hasMore: Bool, last: Record? = nil) {
        self.records = records
        self.hasMore = hasMore
        self.last = last ?? records.last
    }
}

extension Page {
    /// About how many bytes of records a page holds; one record is always let through.
    static var bytesMax: Int { 1024 * 1024 }

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
