import Crypto
import Domain
import Synchronization

/// The keys of people by their ids in the log, and the keys that were used last as they are.
final class PersonIndex: Sendable {
    struct Key {
        let keyringID: String
        let personID: PersonID
        let key: SymmetricKey
    }

    private struct State {
        /// The names in the keyring: `person/` and these.
        var ids: [PersonID: UUIDValue] = [:]
        var usage = PeopleUsage()
        /// Unwrapping a key costs as much as sealing an event with it.
        var byName: [PersonName: Key] = [:]
        var byID: [PersonID: SymmetricKey] = [:]

        mutating func insert(_ person: PersonID, _ id: UUIDValue, _ owner: KeyOwner) {
            guard ids.updateValue(id, forKey: person) == nil else { return }
            usage.take(owner)
        }

        mutating func dropUnwrapped(_ people: Set<PersonID>) {
            for person in people { byID[person] = nil }
            byName = byName.filter { !people.contains($0.value.personID) }
        }
    }

    /// The key that an earlier version sealed with for everyone who came after its keyring was full. It opens what it has
    /// sealed; nothing is sealed with it any more.
    static let sharedID = KeyName.personPrefix + "shared"
    /// The number of keys at which that keyring was full.
    static let earlierKeysMax = 400_000
    private static let keysMax = 1024

    private let state: Mutex<State>
    private let shared: PersonID?
    private let keyring: Keyring

    /// Reads the ids of all people; keys that an earlier version has made are unwrapped for that.
    init(_ keyring: Keyring) throws(SecretsError) {
        var state = State()
        try keyring.index.snapshot.forEach { (name, _, entry) throws(SecretsError) in
            guard case .person(let id) = name else { return }
            state.insert(try keyring.personID(of: name, entry), id, entry.note.owner)
        }
        self.state = Mutex(state)
        self.keyring = keyring
        let entry = keyring.index[Self.sharedID]
        if let entry { shared = try keyring.personID(of: KeyName(Self.sharedID), entry) } else { shared = nil }
    }

    /// All keys of the keyring.
    var keys: KeyIndex { keyring.index }

    /// The first day whose keys of payloads were not destroyed because of their age.
    var payloadsBefore: PayloadDay { keyring.payloadsBefore }

    /// The people of each workspace and principal.
    var usage: PeopleUsage { state.withLock { $0.usage } }

    /// The name of a person's key in the keyring.
    subscript(person: PersonID) -> String? {
        if person == shared { return Self.sharedID }
        return state.withLock { $0.ids[person] }.map { KeyName.person($0).id }
    }

    /// Takes in a person whose key is in the keyring now.
    func insert(_ id: String) {
        guard case .person(let value) = KeyName(id), let entry = keyring.index[id] else { return }
        state.withLock { $0.insert(PersonID(entry.note.person), value, entry.note.owner) }
    }

    /// Forgets people, after their keys are gone from the keyring.
    ///
    /// - Parameter owners: the owners that the keys counted for.
    func remove(_ people: [PersonID: KeyOwner]) {
        state.withLock { state in
            for (person, owner) in people {
                if state.ids.removeValue(forKey: person) != nil { state.usage.release(owner) }
            }
            state.dropUnwrapped(Set(people.keys))
        }
    }

    /// Forgets the keys of people as they are, and not that there are any: their destruction has to be repeated.
    func dropUnwrapped(_ people: some Sequence<PersonID>) {
        state.withLock { $0.dropUnwrapped(Set(people)) }
    }

    /// The person's key of now, from the keyring when it was not used of late.
    func key(
        of person: PersonName, _ unwrapped: () throws(SecretsError) -> Key?
    ) throws(SecretsError) -> Key? {
        if let key = state.withLock({ $0.byName[person] }) { return key }
        guard let key = try unwrapped() else { return nil }
        state.withLock { state in
            // One that was destroyed meanwhile is not to come back.
            guard keyring.index.contains(key.keyringID) else { return }
            if state.byName.count >= Self.keysMax { state.byName = [:] }
            state.byName[person] = key
        }
        return key
    }

    /// The key that a person has, or `nil`.
    func key(of person: PersonID) throws(SecretsError) -> SymmetricKey? {
        if let known = state.withLock({ $0.byID[person] }) { return known }
        guard let id = self[person], keyring.index.contains(id) else { return nil }
        let key = try keyring.existingKey(id)
        state.withLock { state in
            guard keyring.index.contains(id) else { return }
            if state.byID.count >= Self.keysMax { state.byID = [:] }
            state.byID[person] = key
        }
        return key
    }
}

extension Keyring {
    /// The id of a key's person in the log, as its note has it, or made of the key.
    fileprivate func personID(of name: KeyName, _ entry: KeyEntry) throws(SecretsError) -> PersonID {
        guard entry.note == .none else { return PersonID(entry.note.person) }
        return SecretVault.personID(of: try master.unwrap(entry.wrapped, of: name.id))
    }
}
