import Crypto
package import Domain
import Synchronization

/// Keys of people: each has one, that what the log says of them is sealed with, and loses it when they are erased.
extension SecretVault {
    /// Makes the keys of those who have none; they are durable on return.
    package func makeKeys(of named: Set<PersonName>) async throws(SecretsError) {
        var keys: [(id: String, wrapped: [UInt8])] = []
        for person in named {
            let id = keyringID(of: person)
            guard keyring.index[id] == nil else { continue }
            keys.append((id, try keyring.master.wrap(SymmetricKey(size: .bits256), as: id)))
        }
        guard !keys.isEmpty else { return }
        do {
            try await keyring.file.insert(keys)
        } catch  where error.code == .keyringFull {
            // Whoever is new shares a key with all who are: that their data is sealed matters more than that it can be
            // erased alone, and that anything can be recorded at all more than both.
            return people.index.beginSharing()
        }
        for key in keys { people.index.insert(key.id, as: Self.personID(of: try keyring.existingKey(key.id))) }
    }

    /// Whether there are people who have no key of their own, because the keyring is full.
    package var sharesKey: Bool { people.index.isSharing }

    /// What the log knows the person by; `nil` when nothing is sealed for them.
    package func personID(of person: PersonName) throws(SecretsError) -> PersonID? {
        let id = keyringID(of: person)
        guard keyring.index[id] != nil else { return nil }
        return Self.personID(of: try keyring.existingKey(id))
    }

    /// Seals bytes for a person; `nil` when they have no key, which they may have lost since it was made.
    ///
    /// - Parameter purpose: the same has to be given to open them.
    package func seal(
        _ bytes: [UInt8], of person: PersonName, for purpose: UUIDValue
    ) throws(SecretsError) -> (personID: PersonID, sealed: [UInt8])? {
        let own = keyringID(of: person)
        guard let keyID = keyring.index[own] != nil ? own : people.index.isSharing ? PersonIndex.sharedID : nil else {
            return nil
        }
        let key = try keyring.existingKey(keyID)
        let id = Self.personID(of: key)
        return (id, try SealedBytes.seal(bytes, key: key, associated: id.associated(purpose)))
    }

    /// Destroys the person's key, durably; one that is gone already is no error.
    package func destroy(_ person: PersonID) async throws(SecretsError) {
        guard let id = people.index[person] else { return }
        try await keyring.file.destroy([id])
        people.index.remove(person)
    }

    /// Says nothing of whose it is to who has not the keyring.
    private func keyringID(of person: PersonName) -> String {
        let digest = fingerprint(AssociatedData("person", [person.workspace.text, person.userID]).bytes)
        return PersonIndex.prefix + UUIDValue(digest: digest).text
    }

    /// Of the key alone: with the key gone, nobody can tell whose it was, not by trying every name either.
    static func personID(of key: SymmetricKey) -> PersonID {
        PersonID(
            UUIDValue(digest: Array(HMAC<SHA256>.authenticationCode(for: Array("sluice person 1".utf8), using: key))))
    }
}

extension PersonID {
    fileprivate func associated(_ purpose: UUIDValue) -> [UInt8] {
        AssociatedData("sluice person 1", [description, purpose.text]).bytes
    }
}

/// Opens what is sealed for people.
package struct PeopleKeys: Sendable {
    private let keyring: Keyring
    let index: PersonIndex

    init(_ keyring: Keyring) throws(SecretsError) {
        self.keyring = keyring
        index = try PersonIndex(keyring)
    }

    /// The keys of a directory that a daemon may be working in.
    ///
    /// - Returns: `nil` when there are none, or there is no master key to unwrap them with.
    package static func reading(
        path: String, configured: MasterKey?, masterKeyFile: MasterKeyFile
    ) throws(SecretsError) -> PeopleKeys? {
        let keyring = try Keyring.reading(path: path, configured: configured, masterKeyFile: masterKeyFile)
        guard let keyring else { return nil }
        return try PeopleKeys(keyring)
    }

    /// - Throws: `keyDestroyed` when the person was erased.
    package func open(_ sealed: [UInt8], of person: PersonID, for purpose: UUIDValue) throws(SecretsError) -> [UInt8] {
        guard let id = index[person] else {
            throw SecretsError(.keyDestroyed, "the key is not in the keyring any more: what it sealed cannot be read")
        }
        return try SealedBytes.open(sealed, key: try keyring.existingKey(id), associated: person.associated(purpose))
    }
}

/// The keyring's ids of people's keys, by what the log knows those people by.
final class PersonIndex: Sendable {
    static let prefix = "person/"
    /// The key of everybody for whom there is no place.
    static let sharedID = prefix + "shared"

    private let ids: Mutex<[PersonID: String]>
    private let sharing = Atomic(false)

    /// Reads every person's key once.
    init(_ keyring: Keyring) throws(SecretsError) {
        var ids: [PersonID: String] = [:]
        for id in keyring.index.ids where id.hasPrefix(Self.prefix) {
            ids[SecretVault.personID(of: try keyring.existingKey(id))] = id
        }
        self.ids = Mutex(ids)
        if keyring.isFull { beginSharing() }
    }

    var isSharing: Bool { sharing.load(ordering: .relaxed) }

    func beginSharing() { sharing.store(true, ordering: .relaxed) }

    subscript(person: PersonID) -> String? { ids.withLock { $0[person] } }

    func insert(_ id: String, as person: PersonID) { ids.withLock { $0[person] = id } }

    func remove(_ person: PersonID) { ids.withLock { $0[person] = nil } }
}

extension UUIDValue {
    /// The first 16 bytes of a digest, as an id of no version.
    fileprivate init(digest: [UInt8]) {
        self.init(
            high: digest[0..<8].reduce(0) { $0 << 8 | UInt64($1) },
            low: digest[8..<16].reduce(0) { $0 << 8 | UInt64($1) })
    }
}
