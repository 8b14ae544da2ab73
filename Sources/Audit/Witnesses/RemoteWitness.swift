import Foundation

/// A witness at another address (C2SP tlog-witness): another Sluice, or any other.
package struct RemoteWitness: CheckpointWitness {
    /// Sends a POST to the address and gives status and body of the answer.
    package typealias Post = @Sendable (_ url: String, _ body: String) async throws -> (status: Int, body: String)

    package struct Failed: Error, Sendable, CustomStringConvertible {
        package let description: String
    }

    package let verifier: NoteVerifier
    private let url: String
    private let post: Post

    /// - Parameter url: what `/add-checkpoint` is put after.
    package init(verifier: NoteVerifier, url: String, post: @escaping Post) {
        self.verifier = verifier
        self.url = url
        self.post = post
    }

    package func cosign(
        _ checkpoint: Checkpoint, _ note: SignedNote, proof: @Sendable (UInt64) async throws(AuditError) -> [[UInt8]]
    ) async throws -> SignedNote.Signature {
        // Nobody keeps what it has seen last: it says so itself.
        var old: UInt64 = 0
        for _ in 0..<3 {
            let hashes = try await proof(old).map { Data($0).base64EncodedString() + "\n" }.joined()
            let answer = try await post(url + "/add-checkpoint", "old \(old)\n\(hashes)\n\(note.note)")
            switch answer.status {
            case 200:
                let lines = answer.body.split(separator: "\n")
                for signature in lines.compactMap({ SignedNote.Signature(line: $0) })
                where verifier.isSigned(SignedNote(text: note.text, signatures: [signature])) {
                    return signature
                }
                throw Failed(description: "it answered without its signature")
            case 409:
                guard let size = UInt64(answer.body.trimmingCharacters(in: .whitespacesAndNewlines)),
                    size <= checkpoint.size
                else {
                    throw Failed(
                        description: "it knows another history: it saw \(answer.body.prefix(40)) events, "
                            + "and this log has \(checkpoint.size)")
                }
                old = size
            case 422:
                throw Failed(description: "it knows another history: this log does not go on from what it saw")
            default: throw Failed(description: "it answered \(answer.status): \(answer.body.prefix(200))")
            }
        }
        throw Failed(description: "it did not agree on where it was")
    }
}
