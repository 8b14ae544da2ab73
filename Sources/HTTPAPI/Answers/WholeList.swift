package import Domain
package import NIOCore
package import Projections

/// A list as one JSON array, made a chunk at a time.
///
/// Between two chunks it holds the place of the last record and nothing else, so that a list of any length costs one chunk
/// of memory, however slowly it is read. Each chunk is read by key in a transaction of its own: none holds the write-ahead
/// log for longer than that.
package struct WholeList<Record: Sendable, Place: Sendable>: Sendable {
    /// The most rows that are read for one chunk.
    private static var rowsMax: Int { 256 }

    /// Reads at most that many records after a place; `nil` is the beginning.
    package typealias Read = @Sendable (_ after: Place?, _ limit: Int) async throws -> Page<Record>

    private let limit: Int
    private let place: @Sendable (Record) -> Place
    private let json: @Sendable (Record) -> JSONText
    private let read: Read
    private var last: Place?
    private var count = 0
    /// The rows that are read next: about as many as fit, judged by the size of the last ones.
    private var rows = 128
    /// True once the chunk that closes the array is made.
    package private(set) var isComplete = false

    /// - Parameters:
    ///   - limit: the most records of the list.
    ///   - start: the place after which it begins.
    package init(
        limit: Int = .max, after start: Place?, place: @escaping @Sendable (Record) -> Place,
        json: @escaping @Sendable (Record) -> JSONText, read: @escaping Read
    ) {
        self.limit = limit
        self.place = place
        self.json = json
        self.read = read
        last = start
    }

    /// The most pages that are read for one chunk: some may have no record that matches.
    private static var pagesMax: Int { 16 }

    /// The first chunk, made of one page: that is as much work as any page of a list.
    package mutating func first() async throws -> ByteBuffer { try await chunk(pagesMax: 1) }

    /// The next chunk: at most `ResponseChunks.bytesMax`, unless one record alone is larger; empty when none of many rows
    /// matched.
    ///
    /// Records that were read and do not fit are read again for the following chunk.
    package mutating func next() async throws -> ByteBuffer { try await chunk(pagesMax: Self.pagesMax) }

    private mutating func chunk(pagesMax: Int) async throws -> ByteBuffer {
        var (chunk, pages) = (ByteBuffer(), 0)
        repeat {
            pages += 1
            let page = try await read(last, min(rows, limit - count))
            let (begin, fitting) = (chunk.readableBytes, append(page.records, to: &chunk))
            let bytesEach = (chunk.readableBytes - begin) / max(fitting, 1) + 1
            rows = min(max(ResponseChunks.bytesMax * 3 / 4 / bytesEach, 1), Self.rowsMax)
            guard fitting == page.records.count else { break }
            if let end = page.last { last = place(end) }
            isComplete = !(page.hasMore && count < limit)
        } while !isComplete && chunk.readableBytes < ResponseChunks.bytesMin && pages < pagesMax
        if isComplete { chunk.writeString(count == 0 ? "[]" : "]") }
        return chunk
    }

    /// Appends the records that fit.
    ///
    /// - Returns: how many these are.
    private mutating func append(_ records: [Record], to chunk: inout ByteBuffer) -> Int {
        for (index, record) in records.enumerated() {
            let text = json(record).text
            // Two more for the comma or bracket before it and the bracket after it.
            let isFitting = chunk.readableBytes + text.utf8.count + 2 <= ResponseChunks.bytesMax
            guard isFitting || chunk.readableBytes == 0 else { return index }
            chunk.writeString(count == 0 ? "[" : ",")
            chunk.writeString(text)
            count += 1
            last = place(record)
        }
        return records.count
    }
}
