import Crypto

/// A public key under the name that notes are signed with (C2SP signed-note: a "vkey").
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
    package let publicKey: [UInt8]

    package init(name: String, kind: Kind, publicKey: [UInt8]) {
        self.name = name
        self.kind = kind
        self.publicKey = publicKey
    }

    /// The first four bytes of SHA-256(name || "\n" || kind || key): tells keys of one name apart.
    package var keyID: [UInt8] {
        Array(SHA256.hash(data: Array(name.utf8) + [UInt8(ascii: "\n"), kind.rawValue] + publicKey).prefix(4))
    }
}
