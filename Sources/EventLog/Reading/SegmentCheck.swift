/// What checking one segment by itself has found; whether it follows on the one before is for `LogVerifier` to say.
struct SegmentCheck: Sendable {
    enum Verdict {
        case fine
        case problem(String)
        /// Nothing more is to be looked at.
        case stop
    }

    let header: SegmentHeader
    /// The tree after the last record, provided that the header says the truth of what was before the first.
    private(set) var frontier: MerkleFrontier
    private(set) var frames = 0
    private(set) var rawBytes: UInt64 = 0
    /// How many records are hashes alone.
    private(set) var prunedRecords: UInt64 = 0
    /// Where the last whole frame ends.
    private(set) var end: UInt64 = 0
    /// Records that the inspection has something to say of.
    private(set) var remarks: [LogVerifier.Problem] = []
    /// What is not as it was written.
    private(set) var damage: LogError?
    private(set) var isStopped = false

    /// Reads the segment and has every record that is kept inspected.
    ///
    /// - Parameter draft: the file's name when it has not the segment's yet.
    /// - Throws: `LogError.damaged` when already the header is not as it was written.
    init(
        _ firstPosition: UInt64, named draft: String? = nil, isNewest: Bool, _ storage: any LogStorage,
        _ inspect: (UInt64, [UInt8]) -> Verdict
    ) throws(LogError) {
        let name = draft ?? SegmentHeader.fileName(firstPosition: firstPosition)
        // Opened once: it may be replaced by a pruned one meanwhile, and this one stays what it is.
        let file = try LogRecovery.wrap { () throws(StorageError) in try storage.open(name, isWritable: false) }
        header = try LogRecovery.header(firstPosition, file)
        frontier = header.frontier
        var scan = try LogRecovery.wrap { () throws(StorageError) in
            try SegmentScan(name: name, file: file, firstPosition: firstPosition)
        }
        // The newest frame may be being written at this very moment: only what follows it tells it from damage.
        let outcome = try LogRecovery.wrap { () throws(StorageError) in
            let outcome = try scan.walk { frame, offset, records in visit(frame, offset, records, inspect) }
            return (end: outcome, isTorn: isNewest ? try !scan.hasFrameBeyondEnd() : false)
        }
        end = scan.offset
        if case .invalid(let reason) = outcome.end, !outcome.isTorn {
            damage = .damaged(segment: name, position: scan.nextPosition, offset: scan.offset, reason: reason)
        }
        if prunedRecords > 0, !header.mayBePruned, damage == nil {
            damage = .damaged(
                segment: name, position: firstPosition, offset: 0,
                reason: "it has pruned records, and its header says that it has none")
        }
    }

    /// Whether to go on.
    private mutating func visit(
        _ frame: Frame.Header, _ offset: UInt64, _ records: [LogRecord], _ inspect: (UInt64, [UInt8]) -> Verdict
    ) -> Bool {
        frames += 1
        rawBytes += UInt64(frame.rawByteCount)
        for record in records {
            frontier.append(leafHash: record.leafHash)
            guard let bytes = record.bytes else {
                prunedRecords += 1
                continue
            }
            switch inspect(frontier.count, bytes) {
            case .fine: break
            case .problem(let reason):
                remarks.append(
                    LogVerifier.Problem(
                        segment: header.fileName, position: frontier.count, offset: offset, reason: reason))
            case .stop:
                isStopped = true
                return false
            }
        }
        return true
    }
}
