import EventLog
import TestSupport
import Testing

/// Whatever is done to a closed log's bytes is named, or it changes nothing; never is a wrong record given out.
@Suite struct DamageTests {
    /// Where each frame of a segment begins and ends.
    private static func frames(_ segment: [UInt8]) throws -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        var start = SegmentHeader.byteCount
        while start < segment.count {
            let header = try #require(Frame.Header(Array(segment[start...])))
            ranges.append(start..<start + header.byteCount)
            start += header.byteCount
        }
        return ranges
    }

    /// Opens the log and reads all of it, after asking the verifier.
    ///
    /// - Returns: the records; `nil` when both the reader and the verifier name the damage, in one of `segments`.
    private func read(_ storage: MemoryLogStorage, naming segments: [String], _ what: String) async throws -> [[UInt8]]?
    {
        let problems = try? LogVerifier.verify(storage).problems
        do {
            return try await openLog(storage).log.records()
        } catch let error as LogError {
            #expect(segments.contains { error.description.contains($0) }, "\(what): \(error)")
            #expect(problems?.isEmpty != true, "\(what): the verifier finds nothing")
            return nil
        }
    }

    @Test func aSegmentCutAtAnyByteIsNamedOrIsATornTail() async throws {
        let written = try await WrittenLog(batches: 8, segmentBytesMax: 4096 + 260)
        let segments = try written.segments
        #expect(segments.count >= 2)
        for (index, segment) in segments.enumerated() {
            let isNewest = index == segments.count - 1
            for length in 0..<written.storage.bytes(of: segment).count {
                let storage = try written.copy(changing: segment) { $0 = Array($0.prefix(length)) }
                let following = isNewest ? segment : segments[index + 1]
                let found = try await read(storage, naming: [segment, following], "\(segment) cut at \(length)")
                guard let found else { continue }
                #expect(isNewest && found == Array(written.records.prefix(found.count)), "\(segment) cut at \(length)")
            }
        }
    }

    @Test func framesThatAreSwappedRepeatedOrMissingAreNamed() async throws {
        let written = try await WrittenLog(batches: 20, segmentBytesMax: 4096 + 500)
        let segments = try written.segments
        for (index, segment) in segments.enumerated() {
            let bytes = written.storage.bytes(of: segment)
            let frames = try Self.frames(bytes)
            for number in frames.indices {
                let (frame, isLast) = (Array(bytes[frames[number]]), number == frames.count - 1)
                var changes: [(String, [UInt8])] = [
                    ("without", Array(bytes[..<frames[number].lowerBound]) + bytes[frames[number].upperBound...]),
                    ("twice", Array(bytes[..<frames[number].upperBound]) + frame + bytes[frames[number].upperBound...]),
                ]
                if !isLast {
                    let next = frames[number + 1]
                    let swapped = Array(bytes[next]) + frame
                    changes.append(
                        ("swapped", Array(bytes[..<frames[number].lowerBound]) + swapped + bytes[next.upperBound...]))
                }
                for (change, changed) in changes {
                    let storage = try written.copy(changing: segment) { $0 = changed }
                    let what = "\(segment), frame \(number) \(change)"
                    let following = index + 1 < segments.count ? segments[index + 1] : segment
                    guard let found = try await read(storage, naming: [segment, following], what) else { continue }
                    // At the very end a missing or repeated frame is what a torn write leaves.
                    #expect(index == segments.count - 1 && isLast, "\(what)")
                    #expect(found == Array(written.records.prefix(found.count)), "\(what)")
                }
            }
        }
    }

    @Test func segmentsThatAreSwappedRepeatedOrMissingAreNamed() async throws {
        let written = try await WrittenLog(batches: 30)
        let segments = try written.segments
        #expect(segments.count > 3)
        for first in segments.indices {
            for second in segments.indices where second != first {
                let bytes = written.storage.bytes(of: segments[second])
                let repeated = try written.copy(changing: segments[first]) { $0 = bytes }
                let names = [segments[first], segments[second]]
                #expect(try await read(repeated, naming: names, "\(second) in place of \(first)") == nil)
                let swapped = try written.copy(changing: segments[first]) { $0 = bytes }
                swapped.edit(segments[second]) { $0 = written.storage.bytes(of: segments[first]) }
                #expect(try await read(swapped, naming: names, "\(first) and \(second) swapped") == nil)
            }
        }
        for missing in segments.dropLast() {
            let storage = try written.copy()
            try storage.remove(missing)
            #expect(try await read(storage, naming: segments, "without \(missing)") == nil)
        }
    }

    /// Without its newest segment a log looks like a shorter one; the mark of an orderly close tells them apart.
    @Test func aMissingNewestSegmentIsNamedAfterAnOrderlyClose() async throws {
        let storage = MemoryLogStorage()
        let log = try openLog(storage, segmentBytesMax: 4096 + 500).log
        for number in UInt8(0)..<60 { _ = try await log.append([[UInt8](repeating: number, count: 50)]) }
        try await log.close()
        let newest = try #require(try storage.names().filter { $0.hasSuffix(".seg") }.max())
        try storage.remove(newest)
        #expect(throws: LogError.self) { try openLog(storage) }
        #expect(try LogVerifier.verify(storage).problems.count == 1)
    }
}
