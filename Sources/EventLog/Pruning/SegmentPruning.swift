/// Writes a sealed segment anew with hashes in the place of records that are not kept any more.
///
/// Positions, leaf hashes and so every tree head stay as they are. The new file is whole, durable and checked before it
/// takes the old one's place at once: whenever that is interrupted, there is one of the two.
struct SegmentPruning {
    /// What is written until it is whole; a start removes what a crash has left.
    static let draftSuffix = ".seg.tmp"
    /// How many hashes one frame holds at most, so that a reader of one position need not read many.
    private static let stubsMax = 4096

    private let storage: any LogStorage
    private let first: UInt64
    /// The tree after the segment's last record, as the next segment's header has it.
    private let following: MerkleFrontier
    private let name: String
    private let draft: String
    private let original: any LogFile

    init(_ first: UInt64, before following: SegmentHeader, in storage: any LogStorage) throws(LogError) {
        self.storage = storage
        self.first = first
        self.following = following.frontier
        name = SegmentHeader.fileName(firstPosition: first)
        draft = first.fileNameDigits + Self.draftSuffix
        let name = name
        original = try LogRecovery.wrap { () throws(StorageError) in try storage.open(name, isWritable: false) }
    }

    /// Writes the new segment beside the old one when that is worth it.
    ///
    /// - Returns: what it comes to; `isWritten` says whether there is something to `publish`.
    /// - Throws: `LogError.damaged` when the segment is not as it was written; `.noSpace`, `.storage` with nothing left.
    func prepare(
        _ policy: PruningPolicy, _ verdict: (UInt64, [UInt8]) -> PruningPolicy.Verdict
    ) throws(LogError) -> PruningOutcome {
        let survey = try survey(verdict)
        var outcome = PruningOutcome()
        outcome.expiredRecords = survey.expiredCount
        guard survey.expiredCount > 0,
            survey.isUrgent || Double(survey.expiredBytes) >= policy.shareMin * Double(survey.keptBytes)
        else { return outcome }
        do throws(LogError) {
            outcome.bytesFreed = try write(survey)
        } catch {
            try? LogRecovery.wrap { () throws(StorageError) in try Self.removeDraft(draft, storage) }
            throw error
        }
        outcome.prunedRecords = survey.expiredCount
        outcome.expiredRecords = 0
        outcome.segments = 1
        return outcome
    }

    /// Puts the new segment in the place of the old one, durably.
    func publish() throws(LogError) {
        try LogRecovery.wrap { () throws(StorageError) in
            try storage.rename(draft, to: name)
            try storage.syncDirectory()
        }
    }

    /// Removes what a crash has left of a segment that was being written anew.
    static func removeDrafts(_ storage: any LogStorage) throws(StorageError) {
        var isChanged = false
        for name in try storage.names() where name.hasSuffix(draftSuffix) {
            try storage.remove(name)
            isChanged = true
        }
        if isChanged { try storage.syncDirectory() }
    }

    private static func removeDraft(_ draft: String, _ storage: any LogStorage) throws(StorageError) {
        if try storage.names().contains(draft) { try storage.remove(draft) }
    }

    /// What is to go.
    private struct Survey {
        /// For each record of the segment, whether it is to go.
        var isExpired: [Bool] = []
        var expiredCount: UInt64 = 0
        var expiredBytes: UInt64 = 0
        var keptBytes: UInt64 = 0
        var isUrgent = false
    }

    private func survey(_ verdict: (UInt64, [UInt8]) -> PruningPolicy.Verdict) throws(LogError) -> Survey {
        var survey = Survey()
        try walk { header, _, records in
            for (index, record) in records.enumerated() {
                guard let bytes = record.bytes else {
                    survey.isExpired.append(false)
                    continue
                }
                survey.keptBytes += UInt64(bytes.count)
                let verdict = verdict(header.firstPosition + UInt64(index), bytes)
                survey.isExpired.append(verdict != .keep)
                guard verdict != .keep else { continue }
                survey.expiredCount += 1
                survey.expiredBytes += UInt64(bytes.count)
                if verdict == .pruneNow { survey.isUrgent = true }
            }
        }
        return survey
    }

    /// - Returns: by how many bytes the new file is smaller; 0 when it is not.
    private func write(_ survey: Survey) throws(LogError) -> UInt64 {
        let header = try LogRecovery.header(first, original)
        let new = SegmentHeader(firstPosition: first, frontier: header.frontier, edition: header.edition &+ 1)
        let file = try LogRecovery.wrap { () throws(StorageError) in
            try Self.removeDraft(draft, storage)
            let file = try storage.create(draft)
            try file.write(new.bytes, at: 0)
            return file
        }
        var output = Output(file: file)
        try walk { (header: Frame.Header, offset: UInt64, records: [LogRecord]) throws(LogError) in
            let start = Int(header.firstPosition - first)
            let expired = survey.isExpired[start..<start + records.count]
            let after = zip(records, expired).map { record, isExpired in
                isExpired ? LogRecord.pruned(leafHash: record.leafHash) : record
            }
            if after.allSatisfy({ $0.bytes == nil }) {
                for stub in after { try output.add(stub, at: header.firstPosition, stubsMax: Self.stubsMax) }
            } else if expired.contains(true) {
                try output.append(try Frame.encode(pruned: after, firstPosition: header.firstPosition))
            } else {
                let frame = try LogRecovery.wrap { () throws(StorageError) in
                    try original.read(at: offset, count: header.byteCount)
                }
                try output.append(frame)
            }
        }
        try output.flush()
        let before = try LogRecovery.wrap { () throws(StorageError) in
            try file.sync()
            return try original.size()
        }
        // What takes the old one's place is what was read back, and not what was meant.
        let check = try SegmentCheck(first, named: draft, isNewest: false, storage) { _, _ in .fine }
        if let damage = check.damage { throw damage }
        guard check.frontier == following else { throw wrongTree }
        return before > output.end ? before - output.end : 0
    }

    /// Goes through all frames of the segment as it is; they have to come to the tree that they came to before.
    private func walk(
        _ visit: (Frame.Header, UInt64, [LogRecord]) throws(LogError) -> Void
    ) throws(LogError) {
        var frontier = try LogRecovery.header(first, original).frontier
        var scan = try LogRecovery.wrap { () throws(StorageError) in
            try SegmentScan(name: name, file: original, firstPosition: first)
        }
        var failure: LogError?
        let end = try LogRecovery.wrap { () throws(StorageError) in
            try scan.walk { header, offset, records in
                for record in records { frontier.append(leafHash: record.leafHash) }
                do throws(LogError) {
                    try visit(header, offset, records)
                    return true
                } catch {
                    failure = error
                    return false
                }
            }
        }
        if let failure { throw failure }
        if case .invalid(let reason) = end {
            throw .damaged(segment: name, position: scan.nextPosition, offset: scan.offset, reason: reason)
        }
        guard frontier == following else { throw wrongTree }
    }

    private var wrongTree: LogError {
        .damaged(
            segment: name, position: first, offset: 0,
            reason: "its records do not come to the tree head in the next segment's header")
    }
}

/// The frames of the new file; hashes that follow each other are put together in few of them.
private struct Output {
    let file: any LogFile
    private(set) var end = UInt64(SegmentHeader.byteCount)
    private var stubs: [LogRecord] = []
    private var stubsFirst: UInt64 = 0

    init(file: any LogFile) { self.file = file }

    mutating func append(_ frame: [UInt8]) throws(LogError) {
        try flush()
        try write(frame)
    }

    /// Takes up the hash of a record of the frame at `position`; the stubs taken up before are those of the frames before.
    mutating func add(_ stub: LogRecord, at position: UInt64, stubsMax: Int) throws(LogError) {
        if stubs.isEmpty { stubsFirst = max(position, stubsNext) }
        stubs.append(stub)
        if stubs.count == stubsMax { try flush() }
    }

    mutating func flush() throws(LogError) {
        guard !stubs.isEmpty else { return }
        try write(try Frame.encode(pruned: stubs, firstPosition: stubsFirst))
        stubsNext = stubsFirst + UInt64(stubs.count)
        stubs = []
    }

    /// The position after the last stub written.
    private var stubsNext: UInt64 = 0

    private mutating func write(_ bytes: [UInt8]) throws(LogError) {
        try LogRecovery.wrap { () throws(StorageError) in try file.write(bytes, at: end) }
        end += UInt64(bytes.count)
    }
}
