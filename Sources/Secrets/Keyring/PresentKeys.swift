package import Domain

/// The keys that a keyring has, for a log to be held against.
package struct PresentKeys: Sendable {
    private let people: PersonIndex
    private let index: KeyIndex

    init(_ people: PersonIndex) {
        self.people = people
        index = people.keys
    }

    /// True when the person's data can be opened.
    package func contains(_ person: PersonID) -> Bool { people[person].map { index.contains($0) } ?? false }

    /// True when the secret can be opened.
    package func contains(_ keyID: DataKeyID) -> Bool { index.contains(keyID.keyringID) }

    /// True when payloads sealed with the key can be opened.
    package func contains(_ payload: PayloadKeyID) -> Bool { index.contains(payload.text) }

    /// The keys among these that were not destroyed because of their age.
    package func unexpired(_ payloads: Set<PayloadKeyID>) -> Set<PayloadKeyID> {
        guard let first = PayloadDay.firstRequired(people.payloadsBefore, index.textIDs) else { return [] }
        return payloads.filter { $0.day >= first }
    }
}

extension SecretVault {
    /// The keys that can be opened now.
    package var presentKeys: PresentKeys { PresentKeys(people.index) }
}
