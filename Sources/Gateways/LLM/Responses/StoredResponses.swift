package import Domain
import Synchronization

/// A response that later requests may refer to.
package struct StoredResponse: Sendable {
    package let id: String
    package let owner: ResponseOwner
    /// The provider that keeps its content; `nil` when the content is here.
    package let provider: String?
    /// The items of its whole input and then of its output, as JSON; empty when the provider keeps them.
    let items: [[UInt8]]
    /// The tokens of the response with all turns before it, which a provider keeps; none of a response that is here.
    let turns: EarlierTurns
    /// The tokens of its output alone.
    let output: EarlierTurns
    /// The ids of items that can be referred to, each with its index in `items` where that has it.
    let itemIDs: [(id: String, index: Int?)]

    var bytes: Int { items.reduce(0) { $0 + $1.count } + itemIDs.reduce(0) { $0 + $1.id.utf8.count } + 256 }
}

/// Responses by their ids, in memory alone: for an hour at most, and until the daemon stops.
///
/// Bounded in bytes: the oldest responses make room, and those of an owner with more than its share before those of
/// others. A reference to one that is gone is refused, and its client sends the whole input.
package final class StoredResponses: Sendable {
    package struct Limits: Hashable, Sendable {
        package var bytesMax = 64 * 1024 * 1024
        /// The part of the bytes that one owner may have.
        package var ownerBytesMax = 16 * 1024 * 1024
        /// The largest response, with its input, that is kept.
        package var responseBytesMax = 4 * 1024 * 1024
        package var age = Duration.seconds(3_600)

        package init() {}
    }

    fileprivate struct Entry {
        let response: StoredResponse
        let expiry: ContinuousClock.Instant
        /// Tells an entry from an earlier one of its id.
        let number: UInt64
    }

    /// An id among those of its owner: providers number items, and some responses, for each caller.
    fileprivate struct Key: Hashable {
        let owner: ResponseOwner
        let id: String
    }

    fileprivate struct State {
        var entries: [Key: Entry] = [:]
        /// The response of each item.
        var items: [Key: Key] = [:]
        var order = Queue()
        var owners: [ResponseOwner: (bytes: Int, order: Queue)] = [:]
        var bytes = 0
        var count: UInt64 = 0
    }

    private let limits: Limits
    private let now: @Sendable () -> ContinuousClock.Instant
    private let state = Mutex(State())

    package init(_ limits: Limits = Limits(), now: @escaping @Sendable () -> ContinuousClock.Instant) {
        self.limits = limits
        self.now = now
    }

    /// The largest response that is kept.
    var responseBytesMax: Int { limits.responseBytesMax }

    /// The bytes of all responses that are kept.
    package var bytes: Int { state.withLock { $0.bytes } }

    /// Keeps the response in the place of an earlier one of its owner's with its id, unless it is too large.
    package func keep(_ response: StoredResponse) {
        guard response.bytes <= limits.responseBytesMax else { return }
        let time = now()
        state.withLock { state in
            state.removeExpired(at: time)
            state.remove(Key(owner: response.owner, id: response.id))
            while let owned = state.owners[response.owner], owned.bytes + response.bytes > limits.ownerBytesMax {
                state.removeOldest(of: response.owner)
            }
            while state.bytes + response.bytes > limits.bytesMax { state.removeOldest() }
            state.add(response, until: time + limits.age)
        }
    }

    /// Forgets the content of all responses that are kept here, as the erasure of a person requires.
    package func forgetContent() {
        state.withLock { state in
            for (key, entry) in state.entries where entry.response.provider == nil { state.remove(key) }
        }
    }

    /// The owner's response of that id; `nil` when it is unknown, gone, or another owner's.
    package func response(_ id: String, of owner: ResponseOwner) -> StoredResponse? {
        let time = now()
        return state.withLock { state in
            guard let entry = state.entries[Key(owner: owner, id: id)], entry.expiry > time else { return nil }
            return entry.response
        }
    }

    /// The owner's response that has an item of that id.
    package func response(withItem id: String, of owner: ResponseOwner) -> StoredResponse? {
        state.withLock { $0.items[Key(owner: owner, id: id)] }.flatMap { response($0.id, of: owner) }
    }
}

extension StoredResponses {
    /// Responses in the order in which they came. Those that were removed meanwhile are skipped by their numbers.
    fileprivate struct Queue {
        private static let checkedMin = 128

        private var waiting: [(key: StoredResponses.Key, number: UInt64)] = []
        private var head = 0
        /// The length at which those that were removed are taken out.
        private var checkedAt = checkedMin

        var first: (key: StoredResponses.Key, number: UInt64)? { head < waiting.count ? waiting[head] : nil }

        mutating func append(
            _ key: StoredResponses.Key, _ number: UInt64, _ isKept: (StoredResponses.Key, UInt64) -> Bool
        ) {
            if waiting.count >= checkedAt {
                waiting = waiting[head...].filter { isKept($0.key, $0.number) }
                head = 0
                checkedAt = max(Self.checkedMin, 2 * waiting.count)
            }
            waiting.append((key, number))
        }

        mutating func removeFirst() { head += 1 }
    }
}

extension StoredResponses.State {
    fileprivate mutating func add(_ response: StoredResponse, until expiry: ContinuousClock.Instant) {
        count += 1
        let key = StoredResponses.Key(owner: response.owner, id: response.id)
        entries[key] = StoredResponses.Entry(response: response, expiry: expiry, number: count)
        for item in response.itemIDs { items[StoredResponses.Key(owner: response.owner, id: item.id)] = key }
        let entries = entries
        let isKept = { (key: StoredResponses.Key, number: UInt64) in entries[key]?.number == number }
        order.append(key, count, isKept)
        owners[response.owner, default: (0, StoredResponses.Queue())].order.append(key, count, isKept)
        owners[response.owner]?.bytes += response.bytes
        bytes += response.bytes
    }

    fileprivate mutating func remove(_ key: StoredResponses.Key) {
        guard let response = entries.removeValue(forKey: key)?.response else { return }
        for (id, _) in response.itemIDs {
            let item = StoredResponses.Key(owner: key.owner, id: id)
            if items[item] == key { items[item] = nil }
        }
        bytes -= response.bytes
        let left = (owners[response.owner]?.bytes ?? 0) - response.bytes
        owners[response.owner]?.bytes = left
        if left <= 0 { owners[response.owner] = nil }
    }

    fileprivate mutating func removeOldest() {
        guard let next = order.first else { return }
        order.removeFirst()
        if entries[next.key]?.number == next.number { remove(next.key) }
    }

    fileprivate mutating func removeOldest(of owner: ResponseOwner) {
        guard let next = owners[owner]?.order.first else {
            owners[owner] = nil
            return
        }
        owners[owner]?.order.removeFirst()
        if entries[next.key]?.number == next.number { remove(next.key) }
    }

    fileprivate mutating func removeExpired(at time: ContinuousClock.Instant) {
        while let next = order.first {
            let entry = entries[next.key]
            guard entry?.number != next.number || (entry?.expiry ?? time) <= time else { return }
            removeOldest()
        }
    }
}
