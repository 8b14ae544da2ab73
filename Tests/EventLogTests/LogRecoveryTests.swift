import EventLog
import TestSupport
import Testing

/// What is left after crashes and full disks, and what is found when bytes have changed.
@Suite struct LogRecoveryTests {
    @Test func aTornLastFrameIsCutAtWhateverByteItEnds() async throws {
        let written = try await WrittenLog(batches: 4)
        let newest = try #require(try written.segments.last)
        let whole = written.storage.bytes(of: newest)
        let lastFrame = try Frame.encode(
            written.batches[3], firstPosition: UInt64(written.records.count - written.batches[3].count + 1))
        for cut in 1...lastFrame.count {
            let storage = try written.copy(changing: newest) { $0 = Array(whole.dropLast(cut)) }
            let (log, report) = try openLog(storage)
            #expect(try await log.records() == written.batches.dropLast().flatMap { $0 })
            let torn = lastFrame.count - cut
            #expect(report.tornTail?.byteCount == (torn == 0 ? nil : UInt64(torn)))
            #expect(try await log.append([[1], [2]]) == log.durablePosition - 1)
            #expect(try LogVerifier.verify(storage).problems.isEmpty)
        }
    }

    /// A power cut in the middle of a write: any prefix of the unsynced frame may be on the disk.
    @Test func aFrameThatWasNeverSyncedIsThereWholeOrNotAtAll() async throws {
        for tornBytes in 0...200 {
            let storage = MemoryLogStorage()
            let log = try openLog(storage).log
            _ = try await log.append([Array("acknowledged".utf8)])
            storage.setFault(.failedSync)
            let frame = [Array("never".utf8), Array("acknowledged, never acknowledged, never".utf8)]
            await #expect(throws: LogError.self) { try await log.append(frame) }
            let survivor = storage.afterCrash(keepingTornBytes: tornBytes)
            let records = try await openLog(survivor).log.records()
            #expect(records == [Array("acknowledged".utf8)] || records == [Array("acknowledged".utf8)] + frame)
        }
    }

    @Test func everyChangedBitIsNamedOrIsATornTail() async throws {
        let written = try await WrittenLog(batches: 8, segmentBytesMax: 4096 + 260)
        let (segments, records) = (try written.segments, written.records)
        #expect(segments.count >= 2)
        for (index, segment) in segments.enumerated() {
            let byteCount = written.storage.bytes(of: segment).count
            // Every bit of the frames, and every 61st of the header, of which most is padding.
            let bits = Array(stride(from: 0, to: 4096 * 8, by: 61)) + Array(4096 * 8..<byteCount * 8)
            for bit in bits {
                let storage = try written.copy(changing: segment) { $0[bit / 8] ^= 1 << (bit % 8) }
                let isVerified = try? LogVerifier.verify(storage).problems.isEmpty
                do {
                    let (log, report) = try openLog(storage)
                    let found = try await log.records()
                    // What cannot be told from a torn write is cut, with the cut reported; nothing else is lost.
                    #expect(index == segments.count - 1 && report.tornTail != nil, "\(segment), bit \(bit)")
                    #expect(found == Array(records.prefix(found.count)))
                    #expect(records.count - found.count <= written.batches[7].count)
                } catch let error as LogError {
                    #expect(isVerified != true, "\(segment), bit \(bit): \(error)")
                    #expect(error.description.contains(segment))
                }
            }
        }
    }

    @Test func aLogThatWasClosedInOrderMayNotGetShorter() async throws {
        let storage = MemoryLogStorage()
        let log = try openLog(storage).log
        for number in UInt8(0)..<5 { _ = try await log.append([[number]]) }
        try await log.close()
        let segment = try #require(try storage.names().first { $0.hasSuffix(".seg") })
        #expect(try LogVerifier.verify(storage).problems.isEmpty)
        storage.edit(segment) { $0.removeLast(10) }
        #expect(try LogVerifier.verify(storage).problems.map(\.position) == [5])
        // Every start says so, not only the first: nothing is cut before the check.
        for _ in 0..<2 {
            let error = #expect(throws: LogError.self) { try openLog(storage) }
            #expect(error?.code == .damaged && error?.description.contains("closed at position 5") == true)
        }
        try storage.remove(segment)
        #expect(throws: LogError.self) { try openLog(storage) }
        #expect(try LogVerifier.verify(storage).problems.count == 1)
    }

    @Test(arguments: [1, 10, 100])
    func aLogThatEndsBeforeWhatWasSignedIsRefusedAndLeftAsItIs(missingBytes: Int) async throws {
        let storage = MemoryLogStorage()
        let log = try openLog(storage).log
        for number in UInt8(0)..<5 { _ = try await log.append([[number]]) }
        let segment = try #require(try storage.names().first { $0.hasSuffix(".seg") })
        #expect(try openLog(storage, signed: 5).report.lastPosition == 5)
        storage.edit(segment) { $0.removeLast(missingBytes) }
        let before = storage.bytes(of: segment)
        for _ in 0..<2 {
            let error = #expect(throws: LogError.self) { try openLog(storage, signed: 5) }
            #expect(error?.code == .damaged && error?.description.contains("up to position 5 were signed") == true)
            #expect(storage.bytes(of: segment) == before)
        }
        // Without a checkpoint it is a torn tail.
        #expect(try openLog(storage).report.lastPosition < 5)
    }

    @Test func aLogThatIsGoneIsRefusedWhenEventsWereSigned() throws {
        let storage = MemoryLogStorage()
        #expect(throws: LogError.self) { try openLog(storage, signed: 1) }
        #expect(try storage.names().isEmpty)
    }

    /// A killed process leaves frames in the page cache that no sync has confirmed. Once a start has shown them, a power
    /// cut may not take them back.
    @Test func whatAStartFindsIsDurableFromThenOn() async throws {
        let storage = MemoryLogStorage()
        let log = try openLog(storage).log
        _ = try await log.append([[1]])
        storage.setFault(.failedSync)
        await #expect(throws: LogError.self) { try await log.append([[2], [3]]) }
        storage.setFault(nil)
        let shown = try await openLog(storage).log.records()
        #expect(shown == [[1], [2], [3]])
        #expect(try await openLog(storage.afterCrash()).log.records() == shown)
    }

    @Test func aMissingSegmentIsNamed() async throws {
        let written = try await WrittenLog(batches: 40)
        let segments = try written.segments
        let first = try written.copy()
        try first.remove(segments[0])
        #expect(throws: LogError.self) { try openLog(first) }
        let middle = try written.copy()
        try middle.remove(segments[2])
        let problems = try LogVerifier.verify(middle).problems
        #expect(problems.first?.segment == segments[3])
    }

    @Test func swappedFramesAreNoticed() async throws {
        let storage = MemoryLogStorage()
        let log = try openLog(storage).log
        for text in ["aaaa", "bbbb", "cccc"] { _ = try await log.append([Array(text.utf8)]) }
        let segment = SegmentHeader.fileName(firstPosition: 1)
        let size = try Frame.encode([Array("aaaa".utf8)], firstPosition: 1).count
        storage.edit(segment) { bytes in
            let first = Array(bytes[4096..<4096 + size])
            bytes.replaceSubrange(4096..<4096 + size, with: Array(bytes[4096 + size..<4096 + 2 * size]))
            bytes.replaceSubrange(4096 + size..<4096 + 2 * size, with: first)
        }
        let error = #expect(throws: LogError.self) { try openLog(storage) }
        #expect(error?.code == .damaged)
    }

    @Test func aSegmentWhoseMakingWasInterruptedIsRemoved() async throws {
        let written = try await WrittenLog(batches: 3)
        let name = SegmentHeader.fileName(firstPosition: UInt64(written.records.count + 1))
        var frontier = MerkleFrontier()
        for record in written.records { frontier.append(record) }
        let header = SegmentHeader(firstPosition: frontier.count + 1, frontier: frontier).bytes
        // Nothing, blank, short, or with sectors of 512 bytes that did not reach the disk.
        let torn = [0, 7].map { sector in
            var bytes = header
            bytes.replaceSubrange(512 * sector..<512 * (sector + 1), with: [UInt8](repeating: 0, count: 512))
            return bytes
        }
        // Or any first bytes of it, in a file whose size did.
        let begun = (0..<80).map { Array(header.prefix($0)) + [UInt8](repeating: 0, count: 4096 - $0) }
        for partial in [[], Array("SLUI".utf8)] + torn + begun {
            let storage = try written.copy(changing: name) { $0 = partial }
            let (log, report) = try openLog(storage)
            #expect(report.removedSegment == name)
            #expect(try await log.append([[1]]) == UInt64(written.records.count + 1))
        }
    }

    @Test func aForeignFileAndANewerFormatAreRefusedWithWhatToDo() async throws {
        let written = try await WrittenLog(batches: 1)
        let foreign = try written.copy(changing: "notes.txt") { $0 = [1] }
        let first = #expect(throws: LogError.self) { try openLog(foreign) }
        #expect(first?.code == .foreign && first?.description.contains("notes.txt") == true)
        let newer = try written.copy(changing: try written.segments[0]) { $0[8] = 9 }
        let second = #expect(throws: LogError.self) { try openLog(newer) }
        #expect(second?.code == .foreign && second?.description.contains("upgrade") == true)
    }

    @Test func aFullDiskKeepsNothingOfTheBatchAndTakesTheNextOneOnceThereIsSpace() async throws {
        let storage = MemoryLogStorage()
        let log = try openLog(storage, segmentBytesMax: 4096 + 100).log
        var kept: [[UInt8]] = []
        for number in UInt8(0)..<30 {
            let record = [UInt8](repeating: number, count: 20)
            if number % 3 == 1 {
                storage.setFault(.noSpaceOnWrite)
                let error = await #expect(throws: LogError.self) { try await log.append([record]) }
                #expect(error?.code == .noSpace)
                storage.setFault(nil)
            } else {
                _ = try await log.append([record])
                kept.append(record)
            }
        }
        #expect(try await log.records() == kept)
        #expect(try await openLog(storage.afterCrash()).log.records() == kept)
    }

    @Test func withoutDescriptorsNoSegmentIsBegunAndTheLogGoesOnOnceThereAreSome() async throws {
        let storage = MemoryLogStorage()
        let log = try openLog(storage, segmentBytesMax: 4096 + 100).log
        var kept: [[UInt8]] = []
        for number in UInt8(0)..<30 {
            let record = [UInt8](repeating: number, count: 60)
            storage.setFault(number > 0 ? .noDescriptors : nil)
            do throws(LogError) {
                _ = try await log.append([record])
            } catch {
                #expect(error.code == .noDescriptors)
                storage.setFault(nil)
                _ = try await log.append([record])
            }
            kept.append(record)
        }
        storage.setFault(nil)
        #expect(try storage.names().count > 5)
        #expect(try await log.records() == kept)
        #expect(try await openLog(storage.afterCrash()).log.records() == kept)
    }

    @Test func afterAFailedSyncNothingIsWrittenUntilARestart() async throws {
        let storage = MemoryLogStorage()
        let log = try openLog(storage).log
        _ = try await log.append([[1]])
        storage.setFault(.failedSync)
        await #expect(throws: LogError.self) { try await log.append([[2]]) }
        storage.setFault(nil)
        let second = await #expect(throws: LogError.self) { try await log.append([[3]]) }
        #expect(second?.code == .poisoned)
        #expect(log.durablePosition == 1)
        #expect(try await openLog(storage.afterCrash()).log.append([[4]]) == 2)
    }
}
