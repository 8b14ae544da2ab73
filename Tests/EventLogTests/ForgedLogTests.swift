import EventLog
import Testing

/// Files that no writer leaves, whole in themselves: named, and left as they are.
@Suite struct ForgedLogTests {
    /// Opens a log that may not be opened, twice: a start that is refused changes nothing.
    private func refusal(of storage: MemoryLogStorage) throws -> LogError? {
        let names = try storage.names().sorted()
        let contents = names.map(storage.bytes)
        let first = #expect(throws: LogError.self) { try openLog(storage) }
        let second = #expect(throws: LogError.self) { try openLog(storage) }
        #expect(first == second)
        #expect(try storage.names().sorted() == names && names.map(storage.bytes) == contents)
        return first
    }

    @Test(arguments: [
        "00000000000000000000.seg", "+0000000000000000001.seg", "18446744073709551615.seg", "09223372036854775808.seg",
        "0000000000000000001.seg", "99999999999999999999.seg",
    ])
    func aFileNameThatNoSegmentHasIsRefused(name: String) async throws {
        let storage = MemoryLogStorage()
        let log = try openLog(storage).log
        _ = try await log.append([[1]])
        try await log.close()
        storage.edit(name) { $0 = [] }
        let error = try refusal(of: storage)
        #expect(error?.code == .foreign && error?.description.contains(name) == true)
    }

    /// A segment is begun behind the last durable record: one that was begun further on says that records are missing.
    @Test func anUnfinishedSegmentThatDoesNotFollowTheLogIsDamage() async throws {
        let written = try await WrittenLog(batches: 3)
        let next = UInt64(written.records.count + 1)
        let gap = try written.copy(changing: SegmentHeader.fileName(firstPosition: next + 3)) { $0 = [] }
        #expect(try refusal(of: gap)?.code == .damaged)
        let two = try written.copy(changing: SegmentHeader.fileName(firstPosition: next)) { $0 = [] }
        two.edit(SegmentHeader.fileName(firstPosition: next + 1)) { $0 = [] }
        #expect(try refusal(of: two)?.code == .damaged)
        let alone = MemoryLogStorage()
        alone.edit(SegmentHeader.fileName(firstPosition: 9)) { $0 = [] }
        #expect(try refusal(of: alone)?.code == .damaged)
    }

    /// A segment's header may be right in itself and stand for positions that nobody can count on from.
    @Test func positionsBeyondTheLastOneAreRefused() throws {
        for count in [UInt64.max - 1, Frame.positionMax] {
            let hashes = [[UInt8]](repeating: [UInt8](repeating: 7, count: 32), count: count.nonzeroBitCount)
            let frontier = try #require(MerkleFrontier(count: count, hashes: hashes))
            let bytes = SegmentHeader(firstPosition: count + 1, frontier: frontier).bytes
            #expect(throws: SegmentHeader.Malformed.contents) { try SegmentHeader(bytes) }
        }
        let last = try Frame.encode([[1], [2]], firstPosition: Frame.positionMax - 1)
        #expect(Frame.Header(last)?.lastPosition == Frame.positionMax)
        #expect(throws: LogError.self) { try Frame.encode([[1], [2]], firstPosition: Frame.positionMax) }
        for position in [Frame.positionMax, UInt64.max] {
            var beyond = last
            beyond.replaceSubrange(16..<24, with: withUnsafeBytes(of: position.littleEndian) { Array($0) })
            #expect(Frame.Header(beyond) == nil)
        }
    }

    /// A reader makes room for what a header claims, before it has seen that the checksum is right.
    @Test func aFrameClaimsNoMoreThanItsPayloadCanHold() throws {
        let frame = try Frame.encode([[UInt8](repeating: 0, count: 10_000)], firstPosition: 1)
        let header = try #require(Frame.Header(frame))
        #expect(header.isCompressed && header.payloadByteCount < 100)
        func isHeader(_ value: Int, at offset: Int) -> Bool {
            var changed = frame
            changed.replaceSubrange(offset..<offset + 4, with: withUnsafeBytes(of: UInt32(value)) { Array($0) })
            return Frame.Header(changed) != nil
        }
        #expect(isHeader(header.payloadByteCount * 255, at: 8) && !isHeader(header.payloadByteCount * 255 + 1, at: 8))
        #expect(isHeader(header.rawByteCount, at: 12) && !isHeader(header.rawByteCount + 1, at: 12))
    }
}
