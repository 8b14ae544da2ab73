import Synchronization

/// The wrapped keys in memory, by id: opening needs no disk, and memory holds no key that is not wrapped.
final class KeyIndex: Sendable {
    private let keys: Mutex<[String: [UInt8]]>

    init(_ keys: [String: [UInt8]]) { self.keys = Mutex(keys) }

    subscript(id: String) -> [UInt8]? { keys.withLock { $0[id] } }

    var ids: [String] { keys.withLock { Array($0.keys) } }

    func insert(_ new: [(id: String, wrapped: [UInt8])]) {
        keys.withLock { keys in for key in new { keys[key.id] = key.wrapped } }
    }

    func remove(_ ids: Set<String>) { keys.withLock { keys in for id in ids { keys[id] = nil } } }
}
