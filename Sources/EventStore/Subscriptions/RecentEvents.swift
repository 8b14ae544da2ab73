package import Domain

/// True for the events that a subscription waits for.
package typealias EventInterest = @Sendable (Event) -> Bool

/// The newest events in memory, shared by all subscriptions, and who waits for the next one.
///
/// Bounded in events and in bytes: what does not fit any more is read from the log again.
struct RecentEvents {
    /// Resumed with the position after which the next events are.
    typealias Waiter = CheckedContinuation<Position, Never>

    /// A waiter whose wait is over.
    struct Wake {
        let waiter: Waiter
        let position: Position

        func resume() { waiter.resume(returning: position) }
    }

    enum Lookup {
        case events([RecordedEvent])
        /// They are older than what is kept: read the log.
        case behind
        case caughtUp
        case closed
    }

    private enum Waiting {
        /// - passed: the last position that is none of the interest's.
        case waiter(Waiter, EventInterest?, passed: Position)
        case cancelled
    }

    private(set) var durable: Position
    private(set) var byteCount = 0
    private let bytesMax: Int
    /// The event at position p is in slot p modulo the number of slots.
    private var slots: [RecordedEvent?]
    /// The oldest position kept; the one after `durable` when none is.
    private var oldest: Position
    private var isClosed = false
    private var waiting: [UInt64: Waiting] = [:]
    private var nextTicket: UInt64 = 0

    init(durable: Position, eventsMax: Int, bytesMax: Int) {
        precondition(eventsMax > 0, "at least one event is kept")
        self.durable = durable
        self.bytesMax = bytesMax
        oldest = durable.next
        slots = Array(repeating: nil, count: eventsMax)
    }

    var waiterCount: Int { waiting.count }

    /// Takes up newly durable events and hands back everybody who waits for one of them.
    mutating func publish(_ new: [RecordedEvent]) -> [Wake] {
        for recorded in new {
            precondition(recorded.position == durable.next, "positions are dense")
            if durable.value + 1 - oldest.value == UInt64(slots.count) { dropOldest() }
            slots[slot(recorded.position)] = recorded
            byteCount += recorded.event.payload.approximateSizeBytes
            durable = recorded.position
            while byteCount > bytesMax { dropOldest() }
        }
        return new.isEmpty ? [] : takeWaiters(for: new)
    }

    mutating func close() -> [Wake] {
        isClosed = true
        return takeWaiters(for: [])
    }

    /// Events after `position`: at most `eventsMax`, and about `bytesMax` bytes, but at least one.
    func events(after position: Position, eventsMax: Int, bytesMax: Int) -> Lookup {
        guard position < durable else { return isClosed ? .closed : .caughtUp }
        guard !isBehind(position) else { return .behind }
        var events: [RecordedEvent] = []
        var byteCount = 0
        var next = position.next
        while next <= durable, events.count < eventsMax, let recorded = slots[slot(next)] {
            byteCount += recorded.event.payload.approximateSizeBytes
            guard events.isEmpty || byteCount <= bytesMax else { break }
            events.append(recorded)
            next = next.next
        }
        return .events(events)
    }

    /// True when the event after `position` is durable and not kept.
    func isBehind(_ position: Position) -> Bool { position < durable && position.next < oldest }

    /// Drops all that is kept; nobody's wait ends.
    mutating func forget() {
        while oldest <= durable { dropOldest() }
    }

    mutating func makeTicket() -> UInt64 {
        nextTicket += 1
        return nextTicket
    }

    /// Enlists the waiter; `true` when there is no reason to wait and the caller resumes it.
    mutating func wait(
        _ waiter: Waiter, ticket: UInt64, after position: Position, for interest: EventInterest?
    ) -> Bool {
        if case .cancelled? = waiting.removeValue(forKey: ticket) { return true }
        guard position >= durable, !isClosed else { return true }
        waiting[ticket] = .waiter(waiter, interest, passed: position)
        return false
    }

    /// Takes the waiter off the list, or notes that it need not come.
    mutating func cancel(_ ticket: UInt64) -> Wake? {
        if case .waiter(let waiter, _, let passed)? = waiting.removeValue(forKey: ticket) {
            return Wake(waiter: waiter, position: passed)
        }
        waiting[ticket] = .cancelled
        return nil
    }

    /// Ends a wait: a cancellation that came after the waiter was resumed leaves a note behind otherwise.
    mutating func forget(_ ticket: UInt64) { waiting[ticket] = nil }

    private func slot(_ position: Position) -> Int { Int(position.value % UInt64(slots.count)) }

    private mutating func dropOldest() {
        byteCount -= slots[slot(oldest)]?.event.payload.approximateSizeBytes ?? 0
        slots[slot(oldest)] = nil
        oldest = oldest.next
    }

    /// Takes those off the list who wait for one of the events, everybody when the store closes. The others pass the events:
    /// they need not be read again.
    private mutating func takeWaiters(for new: [RecordedEvent]) -> [Wake] {
        var wakes: [Wake] = []
        for (ticket, entry) in waiting {
            guard case .waiter(let waiter, let interest, let passed) = entry else { continue }
            if let interest, !isClosed, !new.contains(where: { interest($0.event) }) {
                // One that stands beyond the end stays there.
                waiting[ticket] = .waiter(waiter, interest, passed: max(passed, durable))
            } else if passed < durable || isClosed {
                waiting[ticket] = nil
                wakes.append(Wake(waiter: waiter, position: passed))
            }
        }
        return wakes
    }
}
