import Domain

/// The keys of a keyring by id, each with the slot that it has in the files.
///
/// The key of a person takes about 130 bytes: entries are kept side by side in chunks, with no object for each.
struct KeyTable: Sendable {
    private static let wrappedBytes = KeyringFormat.wrappedBytes
    private static let entryBytes = wrappedBytes + KeyNote.bytesCount
    private static let chunkEntries = 1024

    private var people: [UUIDValue: UInt32] = [:]
    private var secrets: [UUIDValue: UInt32] = [:]
    private var texts: [String: UInt32] = [:]
    /// Entries by slot.
    private var chunks: [[UInt8]] = []
    private(set) var counts = KeyCounts()

    var count: Int { people.count + secrets.count + texts.count }

    func slot(of name: KeyName) -> Int? {
        let slot =
            switch name {
            case .person(let value): people[value]
            case .secret(let value): secrets[value]
            case .text(let id): texts[id]
            }
        return slot.map(Int.init)
    }

    subscript(name: KeyName) -> KeyEntry? { slot(of: name).map(entry(at:)) }

    /// Takes a key into a slot; an earlier one of the same id gives up its own.
    mutating func insert(_ name: KeyName, _ entry: KeyEntry, at slot: Int) {
        precondition(entry.wrapped.count == Self.wrappedBytes, "an entry holds one wrapped key")
        if set(UInt32(slot), for: name) == nil { counts[name.kind] += 1 }
        while chunks.count <= slot / Self.chunkEntries {
            chunks.append([UInt8](repeating: 0, count: Self.chunkEntries * Self.entryBytes))
        }
        let start = slot % Self.chunkEntries * Self.entryBytes
        chunks[slot / Self.chunkEntries].replaceSubrange(
            start..<start + Self.entryBytes, with: entry.wrapped + entry.note.bytes)
    }

    /// - Returns: the slot that the key had.
    @discardableResult mutating func remove(_ name: KeyName) -> Int? {
        guard let slot = set(nil, for: name).map(Int.init) else { return nil }
        counts[name.kind] -= 1
        let start = slot % Self.chunkEntries * Self.entryBytes
        for index in start..<start + Self.entryBytes { chunks[slot / Self.chunkEntries][index] = 0 }
        return slot
    }

    /// Calls `body` for every key, in no order.
    func forEach<Failure: Error>(_ body: (KeyName, Int, KeyEntry) throws(Failure) -> Void) throws(Failure) {
        for (value, slot) in people { try body(.person(value), Int(slot), entry(at: Int(slot))) }
        for (value, slot) in secrets { try body(.secret(value), Int(slot), entry(at: Int(slot))) }
        for (id, slot) in texts { try body(.text(id), Int(slot), entry(at: Int(slot))) }
    }

    /// The names of the keys of secrets.
    var secretNames: [KeyName] { secrets.keys.map(KeyName.secret) }

    /// The ids of keys that are neither people's nor secrets'.
    var textIDs: [String] { Array(texts.keys) }

    /// A key, to try a master key with.
    var any: (name: KeyName, entry: KeyEntry)? {
        let name =
            people.first.map { KeyName.person($0.key) } ?? secrets.first.map { .secret($0.key) }
            ?? texts.first.map { .text($0.key) }
        return name.flatMap { name in self[name].map { (name, $0) } }
    }

    private mutating func set(_ slot: UInt32?, for name: KeyName) -> UInt32? {
        switch name {
        case .person(let value): Self.exchange(&people[value], with: slot)
        case .secret(let value): Self.exchange(&secrets[value], with: slot)
        case .text(let id): Self.exchange(&texts[id], with: slot)
        }
    }

    private static func exchange(_ old: inout UInt32?, with new: UInt32?) -> UInt32? {
        defer { old = new }
        return old
    }

    private func entry(at slot: Int) -> KeyEntry {
        let start = slot % Self.chunkEntries * Self.entryBytes
        let bytes = chunks[slot / Self.chunkEntries]
        return KeyEntry(
            wrapped: Array(bytes[start..<start + Self.wrappedBytes]),
            note: KeyNote(bytes[(start + Self.wrappedBytes)..<(start + Self.entryBytes)]))
    }
}
