package import Domain
import EventLog
package import Logging

/// Signs the log's tree head, when asked and now and then, keeps what it signed, and has witnesses sign it too.
///
/// It never signs two heads that contradict each other: what it signed last is held against the log before the next.
package actor CheckpointKeeper {
    private let tree: TileTree
    private let files: AuditFiles
    private let witnesses: [any CheckpointWitness]
    private let now: @Sendable () -> Timestamp
    private let logger: Logger
    private let signer: NoteSigner
    private var newest: (checkpoint: Checkpoint, note: SignedNote)?
    /// What is wrong is said once, not each time.
    private var lastComplaint: String?

    /// - Throws: `AuditError.keyUnusable` when there is a key that cannot be read, or none can be made.
    package init(
        tree: TileTree, files: AuditFiles, witnesses: [any CheckpointWitness], now: @escaping @Sendable () -> Timestamp,
        logger: Logger
    ) throws(AuditError) {
        self.tree = tree
        self.files = files
        self.witnesses = witnesses
        self.now = now
        self.logger = logger
        signer = try files.signer()
        newest = try files.newestCheckpoint(signer.verifier)
    }

    /// The key that checkpoints are signed with.
    package nonisolated var verifier: NoteVerifier { signer.verifier }

    /// A signed head over every event that is durable now.
    package func checkpoint() async throws(AuditError) -> (Checkpoint, SignedNote) {
        let size = try await tree.grow()
        if let newest, newest.checkpoint.size >= size {
            try await check(newest.checkpoint, size)
            return newest
        }
        let checkpoint = Checkpoint(origin: signer.name, size: size, root: try await tree.root(of: size))
        if let newest { try await check(newest.checkpoint, size) }
        // Another call may have signed a later one meanwhile.
        if let newest, newest.checkpoint.size >= size { return newest }
        let note: SignedNote
        do {
            note = try signer.sign(checkpoint.text)
        } catch {
            throw .keyUnusable("the log's key does not sign: \(error)")
        }
        try files.keep(note)
        newest = (checkpoint, note)
        return (checkpoint, note)
    }

    /// Signs a head and has it witnessed, each time that `wait` returns, until it throws.
    package func run(wait: @Sendable () async throws -> Void) async {
        while true {
            await refresh()
            do { try await wait() } catch { return }
        }
    }

    private func refresh() async {
        do {
            let (checkpoint, note) = try await checkpoint()
            lastComplaint = nil
            for witness in witnesses { await ask(witness, checkpoint, note) }
            if let newest { try files.keepForDay(newest.note, at: now()) }
        } catch {
            complain("no checkpoint was signed", error.description)
        }
    }

    private func ask(_ witness: any CheckpointWitness, _ checkpoint: Checkpoint, _ note: SignedNote) async {
        guard !witness.verifier.isSigned(newest?.note ?? note) else { return }
        do {
            let signature = try await witness.cosign(checkpoint, note) { old throws(AuditError) in
                try await tree.consistencyProof(from: old, to: checkpoint.size)
            }
            // A later head has been signed meanwhile: the witness is asked for that one next.
            guard var current = newest, current.checkpoint == checkpoint else { return }
            current.note.add(signature)
            try files.keep(current.note)
            newest = current
        } catch {
            complain("a witness did not sign", "\(witness.verifier.name): \(error)")
        }
    }

    private func complain(_ message: Logger.Message, _ reason: String) {
        guard lastComplaint != reason else { return }
        lastComplaint = reason
        logger.error(message, metadata: ["error": "\(reason)"])
    }

    /// Whether the log still begins with what was signed.
    private func check(_ signed: Checkpoint, _ size: UInt64) async throws(AuditError) {
        guard signed.size <= size, try await tree.root(of: signed.size) == signed.root else {
            throw .historyChanged(size: signed.size)
        }
    }
}
