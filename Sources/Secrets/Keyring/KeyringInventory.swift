package import Domain

/// The keys of a keyring by kind, without the master key.
package struct KeyringInventory: Sendable {
    /// The state of the keyring; `nil` when it was written by a version that did not count.
    package let mark: KeyringMark?
    private let ids: Set<String>
    private let payloadsBefore: PayloadDay

    init(_ contents: KeyringContents) {
        mark = contents.isFirstFormat ? nil : contents.header.mark
        ids = Set(contents.keys.keys)
        payloadsBefore = contents.header.payloadsBefore
    }

    /// The number of keys.
    package var count: Int { ids.count }

    /// The keys of an earlier state that are not in this one.
    package func dropped(since earlier: KeyringInventory) -> DroppedKeys {
        var dropped = DroppedKeys()
        let firstDay = PayloadDay.firstRequired(payloadsBefore, ids)
        for id in earlier.ids.subtracting(ids) {
            if let payload = PayloadKeyID(id) {
                if let firstDay, firstDay <= payload.day { dropped.payloads += 1 }
            } else if let keyID = DataKeyID(keyringID: id) {
                dropped.secrets.insert(keyID)
            } else if id.hasPrefix(PersonIndex.prefix), id != PersonIndex.sharedID {
                dropped.people += 1
            } else {
                dropped.others += 1
            }
        }
        return dropped
    }
}

/// Keys that an earlier state of a keyring has and a later one has not.
package struct DroppedKeys: Sendable {
    package var secrets: Set<DataKeyID> = []
    package var people = 0
    /// Keys of payloads that did not expire.
    package var payloads = 0
    /// Keys that are never destroyed.
    package var others = 0

    package var isEmpty: Bool { secrets.isEmpty && people == 0 && payloads == 0 && others == 0 }
}
