import Crypto
import Foundation

/// A private key that signs notes under a name.
package struct NoteSigner: Sendable {
    package let name: String
    private let key: Curve25519.Signing.PrivateKey

    /// A new key. Without a name it is named after itself, so that no two logs have the same.
    package init(name: String? = nil) {
        key = Curve25519.Signing.PrivateKey()
        self.name = name ?? "sluice/" + Array(SHA256.hash(data: key.publicKey.rawRepresentation).prefix(8)).hexText
    }

    /// Reads `PRIVATE+KEY+name+keyid+seed`, the form that Go's note package writes; `nil` when it is none.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "+", maxSplits: 4, omittingEmptySubsequences: false)
        guard parts.count == 5, parts[0] == "PRIVATE", parts[1] == "KEY", NoteVerifier.isName(parts[2]),
            let seed = Data(base64Encoded: String(parts[4])), seed.count == 33, seed.first == 1,
            let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: seed.dropFirst())
        else { return nil }
        self.key = key
        name = String(parts[2])
        guard verifier.keyID.hexText == parts[3] else { return nil }
    }

    package var text: String {
        let seed = Data([1]) + key.rawRepresentation
        return "PRIVATE+KEY+\(name)+\(verifier.keyID.hexText)+\(seed.base64EncodedString())"
    }

    /// The key that others check notes with.
    package var verifier: NoteVerifier { NoteVerifier(name: name, kind: .note, publicKey: publicKey) }

    /// The key that others check this one's cosignatures with.
    package var cosigner: NoteVerifier { verifier.cosigning }

    private var publicKey: [UInt8] { Array(key.publicKey.rawRepresentation) }

    package func sign(_ text: String) throws -> SignedNote {
        let bytes = Array(try key.signature(for: Array(text.utf8)))
        return SignedNote(
            text: text, signatures: [.init(name: name, keyID: verifier.keyID, bytes: bytes)])
    }

    /// The signature that says that this witness saw the checkpoint then, and no other that contradicts it.
    func cosign(_ checkpoint: String, seconds: UInt64) throws -> SignedNote.Signature {
        let time = (0..<8).map { UInt8(truncatingIfNeeded: seconds >> UInt64(56 - 8 * $0)) }
        let bytes = Array(try key.signature(for: CosignedMessage.bytes(of: checkpoint, seconds: seconds)))
        return .init(name: name, keyID: cosigner.keyID, bytes: time + bytes)
    }
}
