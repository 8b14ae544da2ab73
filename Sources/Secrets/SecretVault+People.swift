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
    /// - Parameter place: where the bytes stand; for one place there is one text, ever.
    /// - Returns: the sealed bytes, 16 more than there were, and 16 bytes that nobody knows who has not the key.
    package func seal(
        _ bytes: [UInt8], of person: PersonName, at place: SealedPlace
    ) throws(SecretsError) -> (personID: PersonID, salt: [UInt8], sealed: [UInt8])? {
        guard let key = try people.index.key(of: person, { () throws(SecretsError) in try self.key(of: person) }) else {
            return nil
        }
        let (nonce, salt) = place.derived(from: key.key)
        let sealed = try SealedBytes.seal(bytes, key: key.key, associated: place.associated, nonce: nonce)
        return (key.personID, salt, sealed)
    }

    private func key(of person: PersonName) throws(SecretsError) -> PersonIndex.Key? {
        let own = keyringID(of: person)
        guard let id = keyring.index[own] != nil ? own : people.index.isSharing ? PersonIndex.sharedID : nil else {
            return nil
        }
        let key = try keyring.existingKey(id)
        return PersonIndex.Key(keyringID: id, personID: Self.personID(of: key), key: key)
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

/// Where bytes stand that are sealed for a person.
package struct SealedPlace: Hashable, Sendable {
    let id: UUIDValue
    let name: String

    package init(_ id: UUIDValue, _ name: String) {
        self.id = id
        self.name = name
    }

    fileprivate var associated: [UInt8] { AssociatedData("sluice person 1", [id.text, name]).bytes }

    /// A nonce, and bytes to hide behind in a hash. Neither takes room in the log: both are made again from the key.
    fileprivate func derived(from key: SymmetricKey) -> (nonce: [UInt8], salt: [UInt8]) {
        let bytes = Array(HMAC<SHA256>.authenticationCode(for: associated, using: key))
        return (Array(bytes[0..<12]), Array(bytes[12..<28]))
    }
}

/// Opens what is sealed for people.
package struct PeopleKeys: Sendable {
    let index: PersonIndex

    init(_ keyring: Keyring) throws(SecretsError) { index = try PersonIndex(keyring) }

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

    /// What was sealed, and the salt of its place.
    ///
    /// - Throws: `keyDestroyed` when the person was erased.
    package func open(
        _ sealed: [UInt8], of person: PersonID, at place: SealedPlace
    ) throws(SecretsError) -> (salt: [UInt8], bytes: [UInt8]) {
        guard let key = try index.key(of: person) else {
            throw SecretsError(.keyDestroyed, "the key is not in the keyring any more: what it sealed cannot be read")
        }
        let (nonce, salt) = place.derived(from: key)
        return (salt, try SealedBytes.open(sealed, key: key, associated: place.associated, nonce: nonce))
    }
}

/// The keys of people by what the log knows those people by, and the keys that were used of late as they are.
final class PersonIndex: Sendable {
    struct Key {
        let keyringID: String
        let personID: PersonID
        let key: SymmetricKey
    }

    private struct State {
        var ids: [PersonID: String]
        /// Unwrapping a key costs as much as sealing an event with it.
        var byName: [PersonName: Key] = [:]
        var byID: [PersonID: SymmetricKey] = [:]
    }

    static let prefix = "person/"
    /// The key of everybody for whom there is no place.
    static let sharedID = prefix + "shared"
    private static let keysMax = 1024

    private let state: Mutex<State>
    private let sharing = Atomic(false)
    private let keyring: Keyring

    /// Reads every person's key once.
    init(_ keyring: Keyring) throws(SecretsError) {
        var ids: [PersonID: String] = [:]
        for id in keyring.index.ids where id.hasPrefix(Self.prefix) {
            ids[SecretVault.personID(of: try keyring.existingKey(id))] = id
        }
        state = Mutex(State(ids: ids))
        self.keyring = keyring
        if keyring.isFull { beginSharing() }
    }

    /// All keys of the keyring.
    var keys: KeyIndex { keyring.index }

    /// The first day whose keys of payloads were not destroyed because of their age.
    var payloadsBefore: PayloadDay { keyring.payloadsBefore }

    var isSharing: Bool { sharing.load(ordering: .relaxed) }

    func beginSharing() { sharing.store(true, ordering: .relaxed) }

    subscript(person: PersonID) -> String? { state.withLock { $0.ids[person] } }

    func insert(_ id: String, as person: PersonID) { state.withLock { $0.ids[person] = id } }

    /// Forgets the person, after their key is gone from the keyring.
    func remove(_ person: PersonID) {
        state.withLock { state in
            state.ids[person] = nil
            state.byID[person] = nil
            state.byName = state.byName.filter { $0.value.personID != person }
        }
    }

    /// The person's key of now, from the keyring when it was not used of late.
    func key(
        of person: PersonName, _ unwrapped: () throws(SecretsError) -> Key?
    ) throws(SecretsError) -> Key? {
        if let key = state.withLock({ $0.byName[person] }) { return key }
        guard let key = try unwrapped() else { return nil }
        state.withLock { state in
            // One that was destroyed meanwhile is not to come back.
            guard keyring.index[key.keyringID] != nil else { return }
            if state.byName.count >= Self.keysMax { state.byName = [:] }
            state.byName[person] = key
        }
        return key
    }

    /// The key that a person has, or `nil`.
    func key(of person: PersonID) throws(SecretsError) -> SymmetricKey? {
        let (known, id) = state.withLock { ($0.byID[person], $0.ids[person]) }
        if let known { return known }
        guard let id, keyring.index[id] != nil else { return nil }
        let key = try keyring.existingKey(id)
        state.withLock { state in
            guard keyring.index[id] != nil else { return }
            if state.byID.count >= Self.keysMax { state.byID = [:] }
            state.byID[person] = key
        }
        return key
    }
}

extension UUIDValue {
    /// The first 16 bytes of a digest, as an id of no version.
    fileprivate init(digest: [UInt8]) {
        self.init(
            high: digest[0..<8].reduce(0) { $0 << 8 | UInt64($1) },
            low: digest[8..<16].reduce(0) { $0 << 8 | UInt64($1) })
    }
}
