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

    fileprivate struct State {
        var entries: [String: Entry] = [:]
        /// The response of each item.
        var items: [String: String] = [:]
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

    /// Keeps the response, unless it is too large or another owner's has its id.
    package func keep(_ response: StoredResponse) {
        guard response.bytes <= limits.responseBytesMax else { return }
        let time = now()
        state.withLock { state in
            state.removeExpired(at: time)
            if let known = state.entries[response.id]?.response {
                guard known.owner == response.owner else { return }
                state.remove(known.id)
            }
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
            for (id, entry) in state.entries where entry.response.provider == nil { state.remove(id) }
        }
    }

    /// The owner's response of that id; `nil` when it is unknown, gone, or another owner's.
    package func response(_ id: String, of owner: ResponseOwner) -> StoredResponse? {
        let time = now()
        return state.withLock { state in
            guard let entry = state.entries[id], entry.expiry > time, entry.response.owner == owner else { return nil }
            return entry.response
        }
    }

    /// The owner's response that has an item of that id.
    package func response(withItem id: String, of owner: ResponseOwner) -> StoredResponse? {
        state.withLock { $0.items[id] }.flatMap { response($0, of: owner) }
    }
}

extension StoredResponses {
    /// Ids in the order in which they came. Those that were removed meanwhile are skipped by their numbers.
    fileprivate struct Queue {
        private static let checkedMin = 128

        private var waiting: [(id: String, number: UInt64)] = []
        private var head = 0
        /// The length at which those that were removed are taken out.
        private var checkedAt = checkedMin

        var first: (id: String, number: UInt64)? { head < waiting.count ? waiting[head] : nil }

        mutating func append(_ id: String, _ number: UInt64, _ isKept: (String, UInt64) -> Bool) {
            if waiting.count >= checkedAt {
                waiting = waiting[head...].filter { isKept($0.id, $0.number) }
                head = 0
                checkedAt = max(Self.checkedMin, 2 * waiting.count)
            }
            waiting.append((id, number))
        }

        mutating func removeFirst() { head += 1 }
    }
}

extension StoredResponses.State {
    fileprivate mutating func add(_ response: StoredResponse, until expiry: ContinuousClock.Instant) {
        count += 1
        entries[response.id] = StoredResponses.Entry(response: response, expiry: expiry, number: count)
        for item in response.itemIDs { items[item.id] = response.id }
        let entries = entries
        let isKept = { (id: String, number: UInt64) in entries[id]?.number == number }
        order.append(response.id, count, isKept)
        owners[response.owner, default: (0, StoredResponses.Queue())].order.append(response.id, count, isKept)
        owners[response.owner]?.bytes += response.bytes
        bytes += response.bytes
    }

    fileprivate mutating func remove(_ id: String) {
        guard let response = entries.removeValue(forKey: id)?.response else { return }
        for item in response.itemIDs where items[item.id] == id { items[item.id] = nil }
        bytes -= response.bytes
        let left = (owners[response.owner]?.bytes ?? 0) - response.bytes
        owners[response.owner]?.bytes = left
        if left <= 0 { owners[response.owner] = nil }
    }

    fileprivate mutating func removeOldest() {
        guard let next = order.first else { return }
        order.removeFirst()
        if entries[next.id]?.number == next.number { remove(next.id) }
    }

    fileprivate mutating func removeOldest(of owner: ResponseOwner) {
        guard let next = owners[owner]?.order.first else {
            owners[owner] = nil
            return
        }
        owners[owner]?.order.removeFirst()
        if entries[next.id]?.number == next.number { remove(next.id) }
    }

    fileprivate mutating func removeExpired(at time: ContinuousClock.Instant) {
        while let next = order.first {
            let entry = entries[next.id]
            guard entry?.number != next.number || (entry?.expiry ?? time) <= time else { return }
            removeOldest()
        }
    }
}
