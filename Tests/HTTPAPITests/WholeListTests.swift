import Domain
import HTTPAPI
import NIOCore
import Projections
import Synchronization
import Testing

/// Lists of texts, which have the place of their number.
@Suite struct WholeListTests {
    private struct Record: Sendable {
        let number: Int
        let size: Int
        var json: JSONText { JSONText(verified: "\"\(number) " + String(repeating: "x", count: size) + "\"") }
    }

    /// Makes all chunks of a list over these sizes; pages of a read hold at most `pageMax` records.
    private func chunks(_ sizes: [Int], limit: Int = .max, pageMax: Int = .max) async throws -> [String] {
        let records = sizes.enumerated().map { Record(number: $0.offset + 1, size: $0.element) }
        var list = WholeList<Record, Int>(
            limit: limit, after: nil, place: \.number, json: \.json,
            read: { after, limit in
                let rest = records.dropFirst(after ?? 0)
                let page = rest.prefix(min(limit, pageMax))
                return Page(records: Array(page), hasMore: page.count == min(limit, pageMax))
            })
        var chunks: [String] = []
        while !list.isComplete { chunks.append(String(buffer: try await list.next())) }
        return chunks
    }

    private func expected(_ sizes: [Int], limit: Int = .max) -> String {
        let records = sizes.prefix(limit).enumerated().map { Record(number: $0.offset + 1, size: $0.element) }
        return "[" + records.map(\.json.text).joined(separator: ",") + "]"
    }

    @Test(arguments: [
        [], [10], Array(repeating: 500, count: 2000), Array(repeating: 1, count: 5000),
        (0..<300).map { $0 % 7 == 0 ? 30_000 : $0 % 100 }, [200_000, 1, 200_000, 200_000, 3], [65_531, 65_532, 65_533],
    ])
    func chunksAreTheWholeArrayAndNoneIsLargerThanTheMaximum(sizes: [Int]) async throws {
        for pageMax in [1, 7, Int.max] {
            let chunks = try await chunks(sizes, pageMax: pageMax)
            #expect(chunks.joined() == expected(sizes))
            // A record that is larger is a chunk of its own.
            for chunk in chunks where chunk.utf8.count > ResponseChunks.bytesMax {
                #expect(chunk.split(separator: ",").count == 1)
            }
        }
    }

    @Test func chunksOfSmallRecordsAreLargeEnough() async throws {
        let chunks = try await chunks(Array(repeating: 480, count: 10_000))
        #expect(chunks.dropLast().allSatisfy { $0.utf8.count >= ResponseChunks.bytesMin })
        #expect(chunks.count < 150)
    }

    @Test(arguments: [1, 2, 63, 64, 200, 1000, 3000])
    func endsWithItsLimit(limit: Int) async throws {
        let sizes = Array(repeating: 300, count: 1000)
        #expect(try await chunks(sizes, limit: limit).joined() == expected(sizes, limit: limit))
    }

    /// A slow client costs a chunk: nothing is read ahead of it.
    @Test func readsNothingBeforeItIsAskedForTheNextChunk() async throws {
        let reads = Mutex(0)
        var list = WholeList<Record, Int>(
            after: nil, place: \.number, json: \.json,
            read: { after, limit in
                reads.withLock { $0 += 1 }
                let first = (after ?? 0) + 1
                return Page(records: (first..<first + limit).map { Record(number: $0, size: 300) }, hasMore: true)
            })
        for count in 1...50 {
            #expect(try await list.next().readableBytes <= ResponseChunks.bytesMax)
            #expect(reads.withLock { $0 } == count)
        }
    }

    /// What comes before a place in the share costs one page, also where nothing matches.
    @Test(arguments: [0, 1, 40])
    func theFirstChunkIsOnePage(matching: Int) async throws {
        let reads = Mutex(0)
        let matched = (1...max(matching, 1)).prefix(matching).map { Record(number: $0 * 100, size: 300) }
        var list = WholeList<Record, Int>(
            after: nil, place: \.number, json: \.json,
            read: { after, limit in
                reads.withLock { $0 += 1 }
                let end = (after ?? 0) + 100
                let page = matched.filter { $0.number > after ?? 0 && $0.number <= end }
                return Page(records: page, hasMore: end < 5000, last: Record(number: end, size: 0))
            })
        var text = String(buffer: try await list.first())
        #expect(reads.withLock { $0 } == 1 && !list.isComplete)
        while !list.isComplete { text += String(buffer: try await list.next()) }
        #expect(text == "[" + matched.map(\.json.text).joined(separator: ",") + "]")
        #expect(reads.withLock { $0 } == 50)
    }

    @Test func anErrorOfAReadIsTheListsOwn() async throws {
        struct Damaged: Error {}
        var list = WholeList<Record, Int>(
            after: nil, place: \.number, json: \.json,
            read: { after, limit in
                guard after == nil else { throw Damaged() }
                return Page(records: (1...limit).map { Record(number: $0, size: 300) }, hasMore: true)
            })
        _ = try await list.next()
        await #expect(throws: Damaged.self) { try await list.next() }
        #expect(!list.isComplete)
    }
}
