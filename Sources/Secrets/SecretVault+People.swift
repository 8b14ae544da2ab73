import Crypto
package import Domain
import Synchronization

/// Keys of people: each has one, that what the log says of them is sealed with, and loses it when they are erased.
extension SecretVault {
    /// Makes the keys of those who have none; they are durable on return.
    ///
    /// - Parameter named: the people, each with the actor that named them, for whom a new key counts.
    package func makeKeys(of named: [PersonName: Actor]) async throws(SecretsError) {
        var keys: [NewKey] = []
        for (person, actor) in named {
            let id = keyringID(of: person)
            guard !keyring.index.contains(id) else { continue }
            let key = SymmetricKey(size: .bits256)
            let note = KeyNote(owner: owner(of: person, actor), person: Self.personID(of: key).value)
            keys.append(NewKey(id, try keyring.master.wrap(key, as: id), note: note))
        }
        guard !keys.isEmpty else { return }
        try await keyring.file.insert(keys)
        for key in keys { people.index.insert(key.id) }
    }

    /// The reason why a person who has no key yet gets none: there is no room, or the actor has no share left.
    ///
    /// Commands in flight are not counted: as many keys more may be made at the end.
    package func refusal(of person: PersonName, by actor: Actor, _ rule: ShareRule) -> Rejection? {
        guard !keyring.index.contains(keyringID(of: person)) else { return nil }
        return people.index.usage.refusal(of: owner(of: person, actor), in: person.workspace, rule)
    }

    private func owner(of person: PersonName, _ actor: Actor) -> KeyOwner {
        let workspace = person.workspace.text
        let principal: [String]? =
            switch actor.kind {
            case .apiKey(let id): [workspace, "key", id.description]
            case .person(let person): [workspace, "person", person.provider, person.subject]
            case .decisionLink, .system: nil
            }
        return KeyOwner(
            workspace: number("workspace", [workspace]), principal: principal.map { number("principal", $0) } ?? 0)
    }

    /// A number that says nothing of the text without the keyring, and is never zero.
    private func number(_ purpose: String, _ parts: [String]) -> UInt64 {
        UUIDValue(digest: fingerprint(AssociatedData(purpose, parts).bytes)).high | 1
    }

    /// True when an earlier version, whose keyring had an end, may have sealed data of several people with one key.
    package var mayShareKey: Bool {
        keyring.index.contains(PersonIndex.sharedID) && keyring.counts.total >= PersonIndex.earlierKeysMax
    }

    /// What the log knows the person by; `nil` when nothing is sealed for them.
    package func personID(of person: PersonName) throws(SecretsError) -> PersonID? {
        let id = keyringID(of: person)
        guard keyring.index.contains(id) else { return nil }
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
        let id = keyringID(of: person)
        guard keyring.index.contains(id) else { return nil }
        let key = try keyring.existingKey(id)
        return PersonIndex.Key(keyringID: id, personID: Self.personID(of: key), key: key)
    }

    /// Destroys the keys of people, durably and in one change of the keyring; keys that are gone already are no error.
    ///
    /// After a failure nothing is opened with these keys, and a retry succeeds only once none of them is on the disk.
    package func destroy(_ erased: some Collection<PersonID> & Sendable) async throws(SecretsError) {
        var (ids, owners): ([String], [PersonID: KeyOwner]) = ([], [:])
        for person in erased {
            guard let id = people.index[person] else { continue }
            ids.append(id)
            owners[person] = keyring.index[id]?.note.owner
        }
        guard !ids.isEmpty else { return }
        do throws(SecretsError) {
            try await keyring.file.destroy(ids)
        } catch {
            people.index.dropUnwrapped(erased)
            throw error
        }
        people.index.remove(owners)
    }

    /// Says nothing of whose it is to who has not the keyring.
    private func keyringID(of person: PersonName) -> String {
        let digest = fingerprint(AssociatedData("person", [person.workspace.text, person.userID]).bytes)
        return KeyName.person(UUIDValue(digest: digest)).id
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

extension UUIDValue {
    /// The first 16 bytes of a digest, as an id of no version.
    init(digest: [UInt8]) {
        self.init(
            high: digest[0..<8].reduce(0) { $0 << 8 | UInt64($1) },
            low: digest[8..<16].reduce(0) { $0 << 8 | UInt64($1) })
    }
}
