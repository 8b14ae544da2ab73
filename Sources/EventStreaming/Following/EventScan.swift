import Domain
import EventStore

/// One client's place in the log: a cursor, and what of the last batch is still to be given out.
///
/// A value, so that a scan that is cut short leaves the place it had before the batch it was at.
struct EventScan: Sendable {
    private static let knownAgentsMax = 1024

    private let streamer: EventStreamer
    private let filter: EventFilter
    private var subscription: EventSubscription
    private var ready: ArraySlice<StreamItem> = []
    private(set) var isEnded = false
    private var knownAgents: [RunID: String?] = [:]
    private var ending = Ending.unknown

    /// Where the stream of a run ends.
    private enum Ending {
        case unknown
        /// With the event that finishes the run, which is still to come; so is every stream without a run.
        case withRun
        /// Once everything up to there has been looked at: the run was finished before the stream began.
        case at(Position)
    }

    init(streamer: EventStreamer, filter: EventFilter, subscription: EventSubscription) {
        self.streamer = streamer
        self.filter = filter
        self.subscription = subscription
    }

    /// Everything up to here has been looked at.
    var position: Position { subscription.position }

    mutating func takeItem() -> StreamItem? { ready.popFirst() }

    /// Everything that is ready.
    mutating func takeItems() -> ArraySlice<StreamItem> {
        defer { ready = [] }
        return ready
    }

    /// Goes through the log until there is an item to give out, the store is closed, or the task cancelled.
    mutating func advance() async throws {
        if case .unknown = ending { ending = try await findEnding() }
        while ready.isEmpty, !isEnded {
            if case .at(let position) = ending, subscription.position >= position { return end() }
            // A cursor that reads the log may go through millions of events that match nothing.
            let hasMore =
                if subscription.isBehind {
                    try await takeBatchInTurn()
                } else {
                    try await takeBatch()
                }
            guard hasMore else {
                isEnded = !Task.isCancelled
                return
            }
        }
    }

    private mutating func takeBatchInTurn() async throws -> Bool {
        // Waits for read models that lag before the turn, which others wait for.
        try await streamer.visible(streamer.store.durablePosition)
        return try await streamer.throttle.run { try await takeBatch() }
    }

    /// Takes the next batch; false once the store is closed or the task cancelled.
    private mutating func takeBatch() async throws -> Bool {
        var cursor = subscription
        guard let batch = try await cursor.next() else { return false }
        if let last = batch.last { try await streamer.visible(last.position) }
        try await take(batch)
        subscription = cursor
        return true
    }

    /// Asks what queries know, then where the log ends: a finish that queries have seen is not after that.
    private func findEnding() async throws -> Ending {
        guard let runID = filter.runID else { return .withRun }
        try await streamer.visible(streamer.store.durablePosition)
        let run = try await streamer.findRun(runID, filter.workspace)
        return run?.isFinished == true ? .at(streamer.store.durablePosition) : .withRun
    }

    private mutating func take(_ batch: [RecordedEvent]) async throws {
        var matching: [StreamItem] = []
        for recorded in batch {
            if filter.matches(recorded.event), try await isOfAgent(recorded.event) { matching.append(.event(recorded)) }
            guard let runID = filter.runID, recorded.event.stream == .run(runID), recorded.event.finishesRun else {
                continue
            }
            ready = matching[...]
            return end()
        }
        ready = matching[...]
    }

    private mutating func end() {
        ready.append(.end)
        isEnded = true
    }

    private mutating func isOfAgent(_ event: Event) async throws -> Bool {
        guard let agentID = filter.agentID else { return true }
        guard let runID = event.runID else { return false }
        if let known = knownAgents[runID] { return known == agentID }
        let agent = try await streamer.findRun(runID, event.workspace)?.agentID
        if knownAgents.count >= Self.knownAgentsMax { knownAgents.removeAll() }
        knownAgents[runID] = .some(agent)
        return agent == agentID
    }
}

extension Event {
    fileprivate var finishesRun: Bool {
        if case .runStatusChanged(let changed) = payload { changed.status.isFinished } else { false }
    }
}
