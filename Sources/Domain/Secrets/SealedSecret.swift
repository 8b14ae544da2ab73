/// A secret as it may be written down: ciphertext, and the name of the key that opens it.
///
/// The key itself is not in the log and cannot be derived from it: without it nobody can read the secret again.
package struct SealedSecret: Hashable, Sendable {
    package let keyID: DataKeyID
    package let ciphertext: [UInt8]

    package init(keyID: DataKeyID, ciphertext: [UInt8]) {
        self.keyID = keyID
        self.ciphertext = ciphertext
    }
}

/// A secret's full name: whose it is, and what its owner calls it.
package struct SecretReference: Hashable, Sendable {
    /// The resource that it belongs to; the secret goes when that goes.
    package let owner: ResourceKey
    package let name: String

    package init(owner: ResourceKey, name: String) {
        self.owner = owner
        self.name = name
    }
}

/// What the write side remembers of a secret.
package struct SecretState: Hashable, Sendable {
    package let id: SecretID
    package let keyID: DataKeyID
    package let streamSequence: UInt64

    package init(id: SecretID, keyID: DataKeyID, streamSequence: UInt64) {
        self.id = id
        self.keyID = keyID
        self.streamSequence = streamSequence
    }
}
