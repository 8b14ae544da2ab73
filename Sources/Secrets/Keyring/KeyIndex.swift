import Synchronization

/// The wrapped keys in memory, by id: opening needs no disk, and memory holds no key that is not wrapped.
final class KeyIndex: Sendable {
    private let table: Mutex<KeyTable>

    init(_ table: KeyTable) { self.table = Mutex(table) }

    subscript(id: String) -> KeyEntry? { table.withLock { $0[KeyName(id)] } }

    func contains(_ id: String) -> Bool { table.withLock { $0.slot(of: KeyName(id)) != nil } }

    /// The slot that a key has in the files.
    func slot(of id: String) -> Int? { table.withLock { $0.slot(of: KeyName(id)) } }

    var counts: KeyCounts { table.withLock { $0.counts } }

    /// The ids of the keys of secrets.
    var secretIDs: [String] { table.withLock { $0.secretNames }.map(\.id) }

    /// The ids of keys that are neither people's nor secrets'.
    var textIDs: [String] { table.withLock { $0.textIDs } }

    /// A copy that shares its memory until one of the two changes.
    var snapshot: KeyTable { table.withLock { $0 } }

    func insert(_ new: [(key: NewKey, slot: Int)]) {
        table.withLock { table in
            for (key, slot) in new { table.insert(KeyName(key.id), key.entry, at: slot) }
        }
    }

    /// - Returns: the slots that the keys had.
    func remove(_ ids: some Sequence<String>) -> [Int] {
        table.withLock { table in ids.compactMap { table.remove(KeyName($0)) } }
    }
}

/// A key that is to be kept.
struct NewKey: Sendable {
    let id: String
    let entry: KeyEntry

    init(_ id: String, _ wrapped: [UInt8], note: KeyNote = .none) {
        self.id = id
        entry = KeyEntry(wrapped: wrapped, note: note)
    }
}
