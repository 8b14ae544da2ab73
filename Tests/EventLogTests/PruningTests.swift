import EventLog
import Foundation
import Synchronization
import TestSupport
import Testing

/// Hashes in the place of records: nothing but the records is gone.
@Suite struct PruningTests {
    private static func prune(
        _ log: EventLog, share: Double = 0, _ isExpired: @escaping @Sendable (UInt64) -> Bool
    ) async throws -> PruningOutcome {
        var policy = PruningPolicy()
        policy.shareMin = share
        return try await log.prune(policy) { position, _ in isExpired(position) ? .prune : .keep }
    }

    /// What each position has after pruning, read a page of any size at a time.
    private static func records(_ log: EventLog, bytesMax: Int) async throws -> [LogRecord] {
        var found: [LogRecord] = []
        while UInt64(found.count) < log.durablePosition {
            found += try await log.read(
                from: UInt64(found.count + 1), through: log.durablePosition, bytesMax: bytesMax)
        }
        return found
    }

    /// The first position that no pruning reaches: that of the newest segment.
    private static func openFirst(_ written: WrittenLog) throws -> UInt64 {
        try #require(try written.segments.last.flatMap(SegmentHeader.firstPosition))
    }

    @Test(arguments: 0..<20)
    func everyHeadAndEveryKeptRecordStaysAsItWas(seed: UInt64) async throws {
        let written = try await WrittenLog(batches: 60)
        let before = try LogVerifier.verify(written.storage)
        let headers = try LogListing(written.storage).headers
        var random = SeededRandom(seed: seed)
        let share = Int(seed) * 5
        let expired = Set(
            (1...UInt64(written.records.count)).filter { _ in Int.random(in: 0..<100, using: &random) < share })
        let open = try Self.openFirst(written)
        let log = try openLog(written.storage).log
        // Reads before it have places in the old files.
        _ = try await Self.records(log, bytesMax: 64)
        let outcome = try await Self.prune(log) { expired.contains($0) }
        let gone = expired.filter { $0 < open }
        #expect(outcome.prunedRecords == UInt64(gone.count) && outcome.expiredRecords == 0)
        for reader in [log, try openLog(written.storage).log] {
            for (index, record) in try await Self.records(reader, bytesMax: 64).enumerated() {
                let original = LogRecord.kept(written.records[index])
                #expect(record.leafHash == original.leafHash)
                #expect(gone.contains(UInt64(index + 1)) ? record.bytes == nil : record == original)
            }
        }
        let after = try LogVerifier.verify(written.storage)
        #expect(after.problems.isEmpty && after.rootHash == before.rootHash && after.records == before.records)
        #expect(after.prunedRecords == UInt64(gone.count))
        #expect(try LogListing(written.storage).headers.map(\.frontier) == headers.map(\.frontier))
        // Going on needs no special beginning, and the same again changes nothing.
        let first = UInt64(written.records.count + 1)
        #expect(try await log.append([[1, 2, 3]]) == first)
        #expect(try await Self.prune(log) { expired.contains($0) }.segments == 0)
        #expect(try LogVerifier.verify(written.storage).problems.isEmpty)
    }

    @Test func aRecordThatIsGoneIsInNoByteOfTheFiles() async throws {
        let storage = MemoryLogStorage()
        let log = try openLog(storage, segmentBytesMax: 4096 + 2000).log
        for number in 0..<100 {
            let name = number % 2 == 0 ? "secret" : "public"
            // Not compressible, so that the text would be found.
            let noise = (0..<40).map { _ in UInt8.random(in: 0...255) }
            _ = try await log.append([Array("\(name) \(number)".utf8) + noise])
        }
        let outcome = try await Self.prune(log) { $0 % 2 == 1 }
        #expect(outcome.segments > 2 && outcome.bytesFreed > 0)
        let sealed = try LogListing(storage).headers.dropLast()
        for header in sealed {
            let bytes = Data(storage.bytes(of: header.fileName))
            #expect(bytes.firstRange(of: Data("secret".utf8)) == nil)
            #expect(bytes.firstRange(of: Data("public".utf8)) != nil)
        }
    }

    @Test func aSegmentIsWrittenAnewWhenEnoughOfItGoesOrHasWaited() async throws {
        let written = try await WrittenLog(batches: 60)
        let log = try openLog(written.storage).log
        let few = try await Self.prune(log, share: 0.9) { $0 % 2 == 0 }
        #expect(few.segments == 0 && few.expiredRecords > 0)
        let waited = try await log.prune(PruningPolicy()) { position, _ in position == 1 ? .pruneNow : .keep }
        #expect(waited.segments == 1 && waited.prunedRecords == 1 && waited.expiredRecords == 0)
        #expect(try await log.read(from: 1, through: 1, bytesMax: 1).first?.bytes == nil)
    }

    @Test func consecutiveHashesTakeAFewBytesMoreThanThemselves() async throws {
        let storage = MemoryLogStorage()
        let log = try openLog(storage, segmentBytesMax: 200_000).log
        for _ in 0..<1000 { _ = try await log.append([(0..<300).map { _ in UInt8.random(in: 0...255) }]) }
        _ = try await Self.prune(log) { _ in true }
        let headers = try LogListing(storage).headers
        let (first, next) = (headers[0], headers[1])
        let count = Int(next.firstPosition - first.firstPosition)
        #expect(storage.bytes(of: first.fileName).count < SegmentHeader.byteCount + 64 + count * 33)
    }

    /// Whatever call of the rewrite is the last one, a start finds the log as it was or as it was to be.
    @Test func aPowerCutAtAnyWriteLeavesOneOfTheTwoSegments() async throws {
        let written = try await WrittenLog(batches: 20)
        let root = try LogVerifier.verify(written.storage).rootHash
        var isComplete = false
        for calls in 0..<200 where !isComplete {
            let storage = StoppingStorage(try written.copy(), calls: calls)
            let log = try openLog(storage).log
            storage.arm()
            isComplete = (try? await Self.prune(log) { $0 % 3 == 1 }) != nil
            let survivor = storage.base.afterCrash()
            let restarted = try openLog(survivor).log
            #expect(try survivor.names().allSatisfy { !$0.hasSuffix(".tmp") })
            let report = try LogVerifier.verify(survivor)
            #expect(report.problems.isEmpty && report.rootHash == root)
            for (index, record) in try await Self.records(restarted, bytesMax: 100).enumerated() {
                #expect(record.leafHash == LogRecord.kept(written.records[index]).leafHash)
                if index % 3 != 0 { #expect(record.bytes == written.records[index]) }
            }
        }
        #expect(isComplete)
    }

    @Test func everyFlippedBitOfAPrunedSegmentIsNamed() async throws {
        let written = try await WrittenLog(batches: 20)
        _ = try await Self.prune(try openLog(written.storage).log) { $0 % 2 == 1 }
        let name = try #require(try written.segments.first)
        for offset in 0..<written.storage.bytes(of: name).count {
            let storage = try written.copy(changing: name) { $0[offset] ^= 1 << (offset % 8) }
            let problems = try? LogVerifier.verify(storage).problems
            #expect(problems?.contains { $0.segment == name } ?? true)
        }
    }

    @Test func damageIsNotWrittenAnew() async throws {
        let written = try await WrittenLog(batches: 20)
        let name = try #require(try written.segments.first)
        let storage = try written.copy(changing: name) { $0[SegmentHeader.byteCount + 40] ^= 1 }
        let log = try openLog(storage).log
        let before = storage.bytes(of: name)
        await #expect(throws: LogError.self) { try await Self.prune(log) { _ in true } }
        #expect(storage.bytes(of: name) == before)
        #expect(try storage.names().allSatisfy { !$0.hasSuffix(".tmp") })
    }

    /// To put the right hash in a record's place hides it, as retention does; any other hash gives another tree.
    @Test func aWrongHashInARecordsPlaceIsFound() async throws {
        let written = try await WrittenLog(batches: 20)
        _ = try await Self.prune(try openLog(written.storage).log) { $0 == 2 }
        #expect(try LogVerifier.verify(written.storage).problems.isEmpty)
        let name = try #require(try written.segments.first)
        let hash = LogRecord.kept(written.records[1]).leafHash
        let forged = try written.copy(changing: name) { bytes in
            guard let place = Data(bytes).firstRange(of: Data(hash)) else { return }
            bytes[place.lowerBound] ^= 1
            // The frame's checksum is made to fit, as whoever forges would.
            let second =
                SegmentHeader.byteCount
                + (Frame.Header(Array(bytes.dropFirst(SegmentHeader.byteCount)))?.byteCount ?? 0)
            guard let header = Frame.Header(Array(bytes.dropFirst(second))) else { return }
            var crc = CRC32C()
            bytes[second..<second + 28].withUnsafeBytes { crc.update($0) }
            bytes[second + 32..<second + header.byteCount].withUnsafeBytes { crc.update($0) }
            withUnsafeBytes(of: crc.value.littleEndian) { bytes.replaceSubrange(second + 28..<second + 32, with: $0) }
        }
        #expect(forged.bytes(of: name) != written.storage.bytes(of: name))
        let problems = try LogVerifier.verify(forged).problems
        #expect(problems.first?.reason.contains("Merkle root") == true, "\(problems)")
    }

    /// The header says whether there may be hashes, so that a reader that does not know them refuses the segment.
    @Test func aPrunedSegmentSaysSoInItsHeader() async throws {
        let written = try await WrittenLog(batches: 20)
        _ = try await Self.prune(try openLog(written.storage).log) { $0 == 2 }
        let headers = try LogListing(written.storage).headers
        #expect(headers.map(\.mayBePruned) == headers.indices.map { $0 == 0 })
        let name = headers[0].fileName
        #expect(written.storage.bytes(of: name)[8] == 2)
        let disguised = try written.copy(changing: name) { bytes in
            bytes.replaceSubrange(
                0..<SegmentHeader.byteCount,
                with: SegmentHeader(firstPosition: 1, frontier: MerkleFrontier()).bytes)
        }
        #expect(try LogVerifier.verify(disguised).problems.first?.reason.contains("pruned") == true)
    }

    @Test func copiesAndRestoresHaveTheSameHashes() async throws {
        let written = try await WrittenLog(batches: 20)
        _ = try await Self.prune(try openLog(written.storage).log) { $0 % 3 == 0 }
        let head = try LogVerifier.verify(written.storage).rootHash
        let made = try SegmentCopy.make(of: 1, isOpen: false, from: written.storage, to: MemoryLogStorage())
        #expect(made.lastPosition > 1)
        for position in 1...UInt64(written.records.count) {
            let target = MemoryLogStorage()
            let root = try LogRestoration.write(written.storage, through: position, to: target)
            let report = try LogVerifier.verify(target)
            #expect(report.problems.isEmpty && report.rootHash == root && report.records == position)
            if position == UInt64(written.records.count) { #expect(root == head) }
        }
    }
}

/// Fails at the call after so many, and at all later ones, as a machine does that stops.
private final class StoppingStorage: LogStorage {
    let base: MemoryLogStorage
    private let left: CallsLeft

    init(_ base: MemoryLogStorage, calls: Int) {
        self.base = base
        left = CallsLeft(calls)
    }

    func arm() { left.arm() }

    func names() throws(StorageError) -> [String] { try base.names() }
    func open(_ name: String, isWritable: Bool) throws(StorageError) -> any LogFile {
        StoppingFile(file: try base.open(name, isWritable: isWritable), left: left)
    }
    func create(_ name: String) throws(StorageError) -> any LogFile {
        try left.take()
        return StoppingFile(file: try base.create(name), left: left)
    }
    func remove(_ name: String) throws(StorageError) {
        try left.take()
        try base.remove(name)
    }
    func rename(_ name: String, to target: String) throws(StorageError) {
        try left.take()
        try base.rename(name, to: target)
    }
    func syncDirectory() throws(StorageError) { try left.take() }
}

private struct StoppingFile: LogFile {
    let file: any LogFile
    let left: CallsLeft

    func read(at offset: UInt64, count: Int) throws(StorageError) -> [UInt8] {
        try file.read(at: offset, count: count)
    }
    func write(_ bytes: [UInt8], at offset: UInt64) throws(StorageError) {
        try left.take()
        try file.write(bytes, at: offset)
    }
    func sync() throws(StorageError) {
        try left.take()
        try file.sync()
    }
    func size() throws(StorageError) -> UInt64 { try file.size() }
    func truncate(to size: UInt64) throws(StorageError) {
        try left.take()
        try file.truncate(to: size)
    }
}

/// How many changing calls succeed still.
private final class CallsLeft: Sendable {
    private let state: Mutex<(calls: Int, isArmed: Bool)>

    init(_ calls: Int) { state = Mutex((calls, false)) }

    func arm() { state.withLock { $0.isArmed = true } }

    func take() throws(StorageError) {
        let isDown = state.withLock { state in
            guard state.isArmed else { return false }
            state.calls -= 1
            return state.calls < 0
        }
        if isDown { throw StorageError(kind: .other, description: "the machine is down") }
    }
}
