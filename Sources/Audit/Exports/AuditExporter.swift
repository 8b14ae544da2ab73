package import Domain
package import EventStore
package import EventStreaming

/// Writes what the log says of a run, with the proofs that it says so, in constant memory.
package struct AuditExporter: Sendable {
    /// The number of events whose proofs are in memory at once: about 64 KiB.
    private static let provenAtOnce = 32

    private let log: any LogBackend
    private let personal: any PersonalDataReader
    private let tree: TileTree
    private let keeper: CheckpointKeeper

    /// - Parameter personal: opens what is sealed: exports show it, with what proves that it is what was sealed.
    package init(
        log: any LogBackend, personal: any PersonalDataReader = WithoutKeys(), tree: TileTree,
        keeper: CheckpointKeeper
    ) {
        self.log = log
        self.personal = personal
        self.tree = tree
        self.keeper = keeper
    }

    /// Every event that is of the run, oldest first.
    ///
    /// - Parameters:
    ///   - first: where the run begins.
    ///   - after: what an earlier export has ended with, to go on from there.
    ///   - throttle: the limit on long reads; reading and proving take turns with them.
    package func export(
        run: RunID, from first: Position, after: Position?, as format: ExportFormat,
        throttle: ReadThrottle = ReadThrottle(), write: (String) async throws -> Void
    ) async throws {
        let head = try await head(run, after: after)
        try await write(format.beginning(head))
        let start = max(first.value, (after?.value ?? 0) + 1)
        var scan = RecordScan(log, personal, for: run.value, from: start, through: head.checkpoint.size)
        var isFirst = true
        while let batch = try await throttle.run({ try await scan.batch() }) {
            var rest = batch.filter { $0.recorded.event.runID == run }[...]
            while !rest.isEmpty {
                let text = try await throttle.run {
                    var text = ""
                    for proven in try await prove(rest.prefix(Self.provenAtOnce), head) {
                        text += format.line(proven, head, isFirst: isFirst)
                        isFirst = false
                    }
                    return text
                }
                try await write(text)
                rest = rest.dropFirst(Self.provenAtOnce)
            }
        }
        try await write(format.ending)
    }

    /// What was decided, with the events that say so; `nil` when nobody has decided.
    ///
    /// - Parameter first: where the action was blocked, or access was asked for.
    package func receipt(
        of subject: Receipt.Subject, from first: Position
    ) async throws(AuditError) -> JSONText? {
        let head = try await head(subject.runID, after: nil)
        var scan = RecordScan(log, personal, for: subject.id, from: first.value, through: head.checkpoint.size)
        var events: [ProvenEvent] = []
        while let batch = try await scan.batch() {
            for found in batch where Receipt.isPart(found.recorded.event, of: subject) {
                events += try await prove([found], head)
                if Receipt.isDecision(found.recorded.event.payload) { return Receipt.json(events, head) }
            }
        }
        return nil
    }

    private func head(_ run: RunID?, after: Position?) async throws(AuditError) -> ExportHead {
        let (checkpoint, note) = try await keeper.checkpoint()
        return ExportHead(checkpoint: checkpoint, note: note, key: keeper.verifier, runID: run, after: after)
    }

    private func prove(
        _ found: some Collection<RecordScan.Found>, _ head: ExportHead
    ) async throws(AuditError) -> [ProvenEvent] {
        let proofs = try await tree.inclusionProofs(
            of: found.map { $0.recorded.position.value - 1 }, in: head.checkpoint.size)
        return zip(found, proofs).map { found, proof in
            ProvenEvent(
                record: found.record, recorded: found.recorded, inclusion: proof, disclosed: found.disclosed)
        }
    }
}
