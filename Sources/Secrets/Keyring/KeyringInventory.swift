package import Domain

/// The keys of a keyring by kind, without the master key.
package struct KeyringInventory: Sendable {
    /// The state of the keyring; `nil` when it was written by a version that did not count.
    package let mark: KeyringMark?
    /// The format of its files.
    package let format: Int
    /// Slots of each file that hold no key: they are used before the files grow.
    package let freeSlots: Int
    /// The bytes of each file.
    package let byteCount: Int
    /// The number of keys of each kind.
    package var counts: KeyCounts { keys.counts }
    private let keys: KeyTable
    private let payloadsBefore: PayloadDay

    init(_ contents: KeyringContents) {
        mark = contents.isFirstFormat ? nil : contents.header.mark
        format = contents.isFirstFormat ? 1 : Int(contents.header.version)
        freeSlots = contents.free.count
        byteCount = contents.header.slotCount * KeyringFormat.slotBytes
        keys = contents.keys
        payloadsBefore = contents.header.payloadsBefore
    }

    /// The number of keys.
    package var count: Int { keys.count }

    /// The keys of an earlier state that are not in this one.
    package func dropped(since earlier: KeyringInventory) -> DroppedKeys {
        var dropped = DroppedKeys()
        let firstDay = PayloadDay.firstRequired(payloadsBefore, keys.textIDs)
        earlier.keys.forEach { name, _, _ in
            guard keys.slot(of: name) == nil else { return }
            switch name {
            case .person: dropped.people += 1
            case .secret(let value): dropped.secrets.insert(DataKeyID(value))
            case .text(let id):
                guard let payload = PayloadKeyID(id) else { return dropped.others += 1 }
                if let firstDay, firstDay <= payload.day { dropped.payloads += 1 }
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
