import Crypto
package import Domain
import Foundation

/// Seals and opens what may not be in clear text anywhere: tools' credentials, and the payloads of runs.
///
/// Opening never waits; sealing waits for the disk when it makes a key, because a key is durable before anything that
/// needs it is recorded.
package struct SecretVault: Sendable {
    private static let fingerprintID = "fingerprints"

    let keyring: Keyring
    /// Opens what is sealed for people.
    package let people: PeopleKeys
    private let newID: @Sendable () -> UUIDValue
    private let fingerprintKey: SymmetricKey

    /// - Parameter newID: makes the ids of data keys.
    package init(_ keyring: Keyring, newID: @escaping @Sendable () -> UUIDValue) async throws(SecretsError) {
        self.keyring = keyring
        people = try PeopleKeys(keyring)
        self.newID = newID
        fingerprintKey = try await keyring.key(Self.fingerprintID)
    }

    /// The number of keys of each kind.
    package var keyCounts: KeyCounts { keyring.counts }

    /// The bytes of each of the keyring's two files.
    package var keyringByteCount: Int { keyring.byteCount }

    /// The newest state of the keyring that is durable.
    package var keyringMark: KeyringMark { keyring.mark }

    /// Seals secrets, each with a key of its own that is durable when this returns.
    ///
    /// - Returns: the sealed secrets, in the order given; `destroy` the keys of those that are not recorded after all.
    package func seal(
        _ secrets: [(reference: SecretReference, value: [UInt8])]
    ) async throws(SecretsError) -> [SealedSecret] {
        var sealed: [SealedSecret] = []
        var keys: [NewKey] = []
        for (reference, value) in secrets {
            let (keyID, key) = (DataKeyID(newID()), SymmetricKey(size: .bits256))
            let ciphertext = try SealedBytes.seal(
                Padding.pad(value), key: key, associated: reference.associated(keyID))
            sealed.append(SealedSecret(keyID: keyID, ciphertext: ciphertext))
            keys.append(NewKey(keyID.keyringID, try keyring.master.wrap(key, as: keyID.keyringID)))
        }
        try await keyring.file.insert(keys)
        return sealed
    }

    /// Opens a secret that was sealed under this very name.
    package func open(_ sealed: SealedSecret, of reference: SecretReference) throws(SecretsError) -> [UInt8] {
        let key = try keyring.existingKey(sealed.keyID.keyringID)
        let padded = try SealedBytes.open(sealed.ciphertext, key: key, associated: reference.associated(sealed.keyID))
        guard let value = Padding.unpad(padded) else {
            throw SecretsError(.sealedDamaged, "what was sealed does not open: it has no end")
        }
        return value
    }

    /// Whether the secret's key is there.
    package func canOpen(_ keyID: DataKeyID) -> Bool { keyring.index.contains(keyID.keyringID) }

    /// Destroys keys of secrets, durably; keys that are gone already are no error.
    package func destroy(_ keyIDs: [DataKeyID]) async throws(SecretsError) {
        try await keyring.file.destroy(keyIDs.map(\.keyringID))
    }

    /// Destroys every key of a secret that is not among these: what a crash has left.
    ///
    /// Only while nobody seals.
    ///
    /// - Returns: how many there were.
    package func destroySecretKeys(except needed: Set<DataKeyID>) async throws(SecretsError) -> Int {
        let kept = Set(needed.map(\.keyringID))
        let left = keyring.index.secretIDs.filter { !kept.contains($0) }
        try await keyring.file.destroy(left)
        return left.count
    }

    /// A digest that nobody can make, or check a guess with, who has not the keyring: for what may hold secrets.
    package func fingerprint(_ parts: [UInt8]...) -> [UInt8] {
        var code = HMAC<SHA256>(key: fingerprintKey)
        for part in parts { code.update(data: part) }
        return Array(code.finalize())
    }
}

extension Keyring {
    /// The key of that id, made durable first when there is none.
    func key(_ id: String) async throws(SecretsError) -> SymmetricKey {
        if let entry = index[id] { return try master.unwrap(entry.wrapped, of: id) }
        // Of two who make it at the same time, the first one's stays.
        try await file.insert([NewKey(id, try master.wrap(SymmetricKey(size: .bits256), as: id))])
        return try existingKey(id)
    }

    func existingKey(_ id: String) throws(SecretsError) -> SymmetricKey {
        guard let entry = index[id] else {
            throw SecretsError(.keyDestroyed, "the key is not in the keyring any more: what it sealed cannot be read")
        }
        return try master.unwrap(entry.wrapped, of: id)
    }
}

extension DataKeyID {
    var keyringID: String { KeyName.secret(value).id }
}

extension SecretReference {
    fileprivate func associated(_ keyID: DataKeyID) -> [UInt8] {
        AssociatedData(
            "sluice secret 1", [owner.workspace.text, owner.kind.rawValue, owner.name, name, keyID.description]
        ).bytes
    }
}
