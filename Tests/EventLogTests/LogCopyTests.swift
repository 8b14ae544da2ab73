import EventLog
import Testing

@Suite struct LogCopyTests {
    @Test func copiesOfAllSegmentsAreTheLog() async throws {
        let log = try await WrittenLog(batches: 30)
        let copy = MemoryLogStorage()
        let listing = try LogListing(log.storage)
        var root = SegmentCopy.emptyRoot
        for header in listing.headers {
            let made = try SegmentCopy.make(
                of: header.firstPosition, isOpen: header == listing.headers.last, from: log.storage, to: copy)
            #expect(made.rootBefore == root && header.rootText == root)
            root = made.rootAfter
        }
        #expect(try LogVerifier.verify(copy).rootHash == root)
        for name in try log.segments { #expect(copy.bytes(of: name) == log.storage.bytes(of: name)) }
    }

    @Test func frameThatIsBeingWrittenIsLeftOutOfACopy() async throws {
        let log = try await WrittenLog(batches: 3, segmentBytesMax: 1 << 20)
        let name = try #require(try log.segments.first)
        let whole = log.storage.bytes(of: name)
        for cut in 1..<20 {
            let storage = try log.copy(changing: name) { $0 = Array($0.dropLast(cut)) }
            let copy = MemoryLogStorage()
            let made = try SegmentCopy.make(of: 1, isOpen: true, from: storage, to: copy)
            #expect(made.lastPosition == 3, "the last batch has three records")
            #expect(whole.starts(with: copy.bytes(of: name)))
        }
    }

    @Test func damageStopsACopy() async throws {
        let log = try await WrittenLog(batches: 30)
        let name = try #require(try log.segments.first)
        for offset in stride(from: 0, to: log.storage.bytes(of: name).count, by: 41) {
            let storage = try log.copy(changing: name) { $0[offset] ^= 1 }
            #expect(throws: LogError.self) {
                try SegmentCopy.make(of: 1, isOpen: false, from: storage, to: MemoryLogStorage())
            }
        }
    }

    @Test func segmentWithoutAFrameIsNotListed() async throws {
        let log = try await WrittenLog(batches: 8)
        let count = try log.segments.count
        let storage = try log.copy(changing: "00000000000000000099.seg") { $0 = [1, 2, 3] }
        let listing = try LogListing(storage)
        #expect(listing.headers.count == count && !listing.isLastOpen)
    }

    @Test func everyPositionIsRestoredWithItsOwnTreeHead() async throws {
        let log = try await WrittenLog(batches: 20)
        for position in 1...UInt64(log.records.count) {
            let target = MemoryLogStorage()
            let root = try LogRestoration.write(log.storage, through: position, to: target)
            let report = try LogVerifier.verify(target)
            #expect(report.problems.isEmpty && report.records == position && report.rootHash == root)
            let restored = try openLog(target).log
            #expect(try await restored.records() == Array(log.records.prefix(Int(position))))
            let next = try await restored.append([[1, 2, 3]])
            #expect(next == position + 1)
        }
    }

    @Test func positionBeyondTheEndIsNotRestored() async throws {
        let log = try await WrittenLog(batches: 4)
        #expect(throws: LogError.self) {
            try LogRestoration.write(log.storage, through: 1000, to: MemoryLogStorage())
        }
    }
}
