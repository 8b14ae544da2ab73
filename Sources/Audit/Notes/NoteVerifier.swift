import Crypto
import Foundation

/// A public key under the name that notes are signed with: a "vkey" of C2SP signed-note.
package struct NoteVerifier: Hashable, Sendable {
    /// What a signature is over, by the first byte of the key.
    package enum Kind: UInt8, Hashable, Sendable {
        /// The note's text.
        case note = 1
        /// A checkpoint and when it was seen (C2SP tlog-cosignature).
        case cosignature = 4
    }

    package let name: String
    package let kind: Kind
    /// An Ed25519 public key, 32 bytes.
    package let publicKey: [UInt8]

    init(name: String, kind: Kind, publicKey: [UInt8]) {
        self.name = name
        self.kind = kind
        self.publicKey = publicKey
    }

    /// Reads `name+keyid+key`; `nil` when it is none, or of a kind that nobody here can check.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "+", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, Self.isName(parts[0]), let key = Data(base64Encoded: String(parts[2])),
            key.count == 33, let kind = key.first.flatMap(Kind.init)
        else { return nil }
        self.init(name: String(parts[0]), kind: kind, publicKey: Array(key.dropFirst()))
        guard keyID.hexText == parts[1] else { return nil }
    }

    /// `name+keyid+key`
    package var text: String { "\(name)+\(keyID.hexText)+\(Data([kind.rawValue] + publicKey).base64EncodedString())" }

    /// The first four bytes of SHA-256(name || "\n" || kind || key): tells keys of one name apart.
    package var keyID: [UInt8] {
        Array(SHA256.hash(data: Array(name.utf8) + [UInt8(ascii: "\n"), kind.rawValue] + publicKey).prefix(4))
    }

    /// The same key as one that cosigns checkpoints.
    package var cosigning: NoteVerifier { NoteVerifier(name: name, kind: .cosignature, publicKey: publicKey) }

    /// Whether one of the note's signatures is by this key.
    package func isSigned(_ note: SignedNote) -> Bool {
        note.signatures.contains { $0.name == name && $0.keyID == keyID && isValid($0, of: note.text) }
    }

    private func isValid(_ signature: SignedNote.Signature, of text: String) -> Bool {
        guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: publicKey) else { return false }
        switch kind {
        case .note: return key.isValidSignature(signature.bytes, for: Array(text.utf8))
        case .cosignature:
            guard signature.bytes.count == 72 else { return false }
            let seconds = signature.bytes.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            return key.isValidSignature(
                signature.bytes.dropFirst(8), for: CosignedMessage.bytes(of: text, seconds: seconds))
        }
    }

    /// What may name a key: nothing that would break a note's lines.
    static func isName(_ name: some StringProtocol) -> Bool {
        !name.isEmpty && !name.contains { $0 == "+" || $0.isWhitespace || $0.isNewline }
    }
}

/// What a witness signs of a checkpoint (C2SP tlog-cosignature, version 1).
enum CosignedMessage {
    static func bytes(of checkpoint: String, seconds: UInt64) -> [UInt8] {
        Array("cosignature/v1\ntime \(seconds)\n\(checkpoint)".utf8)
    }
}

extension [UInt8] {
    /// Two lower-case hexadecimal digits a byte.
    var hexText: String {
        map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }
}
