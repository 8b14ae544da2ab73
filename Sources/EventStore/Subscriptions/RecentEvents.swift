import Domain

/// The newest events in memory, shared by all subscriptions, and who waits for the next one.
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
    private let capacity: Int
    private var events: [RecordedEvent] = []
    private var head = 0
    private var isClosed = false
    private var waiting: [UInt64: Waiting] = [:]
    private var nextTicket: UInt64 = 0

    init(durable: Position, capacity: Int) {
        self.durable = durable
        self.capacity = capacity
    }

    var waiterCount: Int { waiting.count }

    /// Takes up newly durable events and hands back everybody who waits.
    mutating func publish(_ new: [RecordedEvent]) -> [Waiter] {
        guard let last = new.last else { return [] }
        durable = last.position
        events += new
        head = max(head, events.count - capacity)
        if head > capacity {
            events.removeFirst(head)
            head = 0
        }
        return takeWaiters()
    }

    mutating func close() -> [Waiter] {
        isClosed = true
        return takeWaiters()
    }

    func events(after position: Position, limit: Int) -> Lookup {
        guard position < durable else { return isClosed ? .closed : .caughtUp }
        guard head < events.count, position.next >= events[head].position else { return .behind }
        let start = head + Int(position.next.value - events[head].position.value)
        return .events(Array(events[start..<min(events.count, start + limit)]))
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
