import Crypto
package import Domain
import EventLog
import Foundation
import Secrets

/// Somebody else who signs checkpoints, so that an operator alone cannot show two histories.
package protocol CheckpointWitness: Sendable {
    var verifier: NoteVerifier { get }

    /// Has the witness sign.
    ///
    /// - Parameter proof: the hashes that prove that the checkpoint's tree begins with that of so many leaves.
    func cosign(
        _ checkpoint: Checkpoint, _ note: SignedNote, proof: @Sendable (UInt64) async throws(AuditError) -> [[UInt8]]
    ) async throws -> SignedNote.Signature
}

/// A witness of other logs (C2SP tlog-witness): signs a checkpoint that goes on from the last one it signed.
///
/// What it has seen is in files of its own: it must not go back when this daemon's log is restored to an older state.
package actor Witness {
    package enum Refusal: Error, Hashable, Sendable {
        /// The request is none.
        case malformed(String)
        /// No log of that origin is known here.
        case unknownLog
        /// The note is not signed by the log's key.
        case unsigned
        /// The log that is known here ended elsewhere: at that size.
        case conflict(size: UInt64)
        /// The proof does not prove it.
        case inconsistent
        case unwritable(String)
    }

    private let signer: NoteSigner
    private let logs: [String: NoteVerifier]
    private let directory: URL
    private let now: @Sendable () -> Timestamp

    /// - Parameters:
    ///   - files: where its key is, and what was seen of each log.
    ///   - logs: the keys of the logs that are witnessed.
    ///   - now: what a cosignature says of when it was made.
    /// - Throws: `AuditError.keyUnusable`.
    package init(
        files: AuditFiles, logs: [NoteVerifier], now: @escaping @Sendable () -> Timestamp
    ) throws(AuditError) {
        signer = try files.signer()
        directory = files.witnessed
        self.logs = Dictionary(logs.map { ($0.name, $0) }) { first, _ in first }
        self.now = now
    }

    /// Takes the body of an `add-checkpoint`, and answers with the line of its signature.
    package func addCheckpoint(_ body: String) throws(Refusal) -> String {
        let request = try Request(body)
        guard let verifier = logs[request.checkpoint.origin] else { throw .unknownLog }
        guard verifier.isSigned(request.note) else { throw .unsigned }
        let seen = try seen(request.checkpoint.origin)
        guard request.oldSize == seen?.size ?? 0 else { throw .conflict(size: seen?.size ?? 0) }
        guard request.oldSize <= request.checkpoint.size else {
            throw .malformed("the checkpoint is of a smaller tree than the old size")
        }
        guard
            MerkleProof.isConsistent(
                oldSize: request.oldSize, oldRoot: seen?.root ?? MerkleHash.ofNothing, size: request.checkpoint.size,
                root: request.checkpoint.root, proof: request.proof)
        else { throw request.oldSize == request.checkpoint.size ? .conflict(size: request.oldSize) : .inconsistent }
        do {
            // What was seen is durable before the signature leaves.
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
            try ProtectedFile.create(file(request.checkpoint.origin).path, Array(request.note.note.utf8))
            return try signer.cosign(request.note.text, seconds: UInt64(clamping: now().microseconds / 1_000_000)).line
        } catch {
            throw .unwritable("\(error)")
        }
    }

    private func seen(_ origin: String) throws(Refusal) -> Checkpoint? {
        let file = file(origin)
        guard FileManager.default.fileExists(atPath: file.path) else { return nil }
        guard let text = try? String(contentsOf: file, encoding: .utf8), let note = SignedNote(text),
            let checkpoint = Checkpoint(note.text)
        else { throw .unwritable("\(file.path) is no checkpoint") }
        return checkpoint
    }

    private func file(_ origin: String) -> URL {
        directory.appendingPathComponent(Array(SHA256.hash(data: Array(origin.utf8))).hexText)
    }

    /// `old N`, the hashes of the proof, an empty line, the signed checkpoint.
    private struct Request {
        let oldSize: UInt64
        let proof: [[UInt8]]
        let note: SignedNote
        let checkpoint: Checkpoint

        init(_ body: String) throws(Refusal) {
            guard let gap = body.range(of: "\n\n") else {
                throw .malformed("there is no empty line before the checkpoint")
            }
            let lines = body[..<gap.lowerBound].split(separator: "\n", omittingEmptySubsequences: false)
            guard lines[0].hasPrefix("old "), let oldSize = UInt64(lines[0].dropFirst(4)) else {
                throw .malformed("the first line must be: old SIZE")
            }
            let proof = lines.dropFirst().compactMap { Data(base64Encoded: String($0)).map(Array.init) }
            guard proof.count == lines.count - 1, proof.count <= 63,
                proof.allSatisfy({ $0.count == MerkleHash.byteCount })
            else { throw .malformed("each line of the proof must be a hash in Base64, at most 63 of them") }
            guard let note = SignedNote(String(body[gap.upperBound...])), let checkpoint = Checkpoint(note.text) else {
                throw .malformed("there is no signed checkpoint after the empty line")
            }
            self.oldSize = oldSize
            self.proof = proof
            self.note = note
            self.checkpoint = checkpoint
        }
    }
}
