import Domain

/// How far following has come, and who waits for it to come further.
struct FollowingProgress {
    typealias Waiter = CheckedContinuation<Bool, Never>

    private(set) var position: Position
    /// Why no event is being applied at the moment; `nil` while all is well.
    private(set) var failure: ProjectionError?
    /// Whether a batch is on its way in: queries may see it already.
    private var isApplying = false
    private var waiting: [(position: Position, waiter: Waiter)] = []

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

    /// Enlists the waiter, or says at once whether the position is reached.
    mutating func wait(_ waiter: Waiter, for position: Position) -> Bool? {
        if self.position >= position { return true }
        if failure != nil { return false }
        waiting.append((position, waiter))
        return nil
    }

    /// Nobody waits in vain: hands back everybody, and whoever comes next is told at once.
    mutating func stop(_ error: ProjectionError) -> [Waiter] {
        failure = error
        defer { waiting = [] }
        return waiting.map(\.waiter)
    }

    /// Following begins, anew perhaps.
    mutating func start() { failure = nil }
}
