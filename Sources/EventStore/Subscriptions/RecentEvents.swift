import Domain

/// The newest events in memory, shared by all subscriptions, and who waits for the next one.
///
/// Bounded in events and in bytes: what does not fit any more is read from the log again.
struct RecentEvents {
    typealias Waiter = CheckedContinuation<Void, Never>

    enum Lookup {
        case events([RecordedEvent])
        /// They are older than what is kept: read the log.
        case behind
        case caughtUp
        case closed
    }

    private enum Waiting {
        case waiter(Waiter)
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

    /// Takes up newly durable events and hands back everybody who waits.
    mutating func publish(_ new: [RecordedEvent]) -> [Waiter] {
        for recorded in new {
            precondition(recorded.position == durable.next, "positions are dense")
            if durable.value + 1 - oldest.value == UInt64(slots.count) { dropOldest() }
            slots[slot(recorded.position)] = recorded
            byteCount += recorded.event.payload.approximateSizeBytes
            durable = recorded.position
            while byteCount > bytesMax { dropOldest() }
        }
        return new.isEmpty ? [] : takeWaiters()
    }

    mutating func close() -> [Waiter] {
        isClosed = true
        return takeWaiters()
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
    mutating func wait(_ waiter: Waiter, ticket: UInt64, after position: Position) -> Bool {
        if case .cancelled? = waiting.removeValue(forKey: ticket) { return true }
        guard position >= durable, !isClosed else { return true }
        waiting[ticket] = .waiter(waiter)
        return false
    }

    /// Takes the waiter off the list, or notes that it need not come.
    mutating func cancel(_ ticket: UInt64) -> Waiter? {
        if case .waiter(let waiter)? = waiting.removeValue(forKey: ticket) { return waiter }
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

    private mutating func takeWaiters() -> [Waiter] {
        var waiters: [Waiter] = []
        waiting = waiting.filter { _, entry in
            guard case .waiter(let waiter) = entry else { return true }
            waiters.append(waiter)
            return false
        }
        return waiters
    }
}
