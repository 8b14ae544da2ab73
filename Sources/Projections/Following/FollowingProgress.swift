import Domain

/// How far following has come, and who waits for it to come further.
struct FollowingProgress {
    typealias Waiter = CheckedContinuation<Bool, Never>

    private(set) var position: Position
    /// Why no event is being applied at the moment; `nil` while all is well.
    private(set) var failure: ProjectionError?
    /// Whether a batch is on its way in: queries may see it already.
    private var isApplying = false
    private var waiting: [(position: Position, id: UInt64, waiter: Waiter)] = []
    private var ticketCount: UInt64 = 0
    /// Tickets that were cancelled before their waiter was enlisted.
    private var cancelled: Set<UInt64> = []

    init(position: Position) { self.position = position }

    /// The position, unless a batch is on its way in.
    var settledPosition: Position? { isApplying ? nil : position }

    /// A batch is on its way in.
    mutating func begin() { isApplying = true }

    /// The batch that was on its way in is not there.
    mutating func giveUp() { isApplying = false }

    /// Shows the position to readers; hands back everybody who waited for it.
    mutating func advance(to position: Position) -> [Waiter] {
        precondition(position > self.position, "the read models only go forward")
        self.position = position
        isApplying = false
        failure = nil
        guard !waiting.isEmpty else { return [] }
        let due = waiting.filter { $0.position <= position }.map(\.waiter)
        waiting.removeAll { $0.position <= position }
        return due
    }

    /// A ticket for one wait, which it is cancelled by.
    mutating func makeTicket() -> UInt64 {
        ticketCount += 1
        return ticketCount
    }

    /// Enlists the waiter, or says at once whether the position is reached.
    mutating func wait(_ waiter: Waiter, ticket: UInt64, for position: Position) -> Bool? {
        let isCancelled = cancelled.remove(ticket) != nil
        if self.position >= position { return true }
        if failure != nil || isCancelled { return false }
        waiting.append((position, ticket, waiter))
        return nil
    }

    /// Hands back the waiter of a ticket; one that is enlisted later does not wait.
    mutating func cancel(_ ticket: UInt64) -> Waiter? {
        guard let index = waiting.firstIndex(where: { $0.id == ticket }) else {
            cancelled.insert(ticket)
            return nil
        }
        return waiting.remove(at: index).waiter
    }

    /// Forgets a ticket whose wait is over.
    mutating func forget(_ ticket: UInt64) { cancelled.remove(ticket) }

    /// Nobody waits in vain: hands back everybody, and whoever comes next is told at once.
    mutating func stop(_ error: ProjectionError) -> [Waiter] {
        failure = error
        defer { waiting = [] }
        return waiting.map(\.waiter)
    }

    /// Following begins, anew perhaps.
    mutating func start() { failure = nil }
}
