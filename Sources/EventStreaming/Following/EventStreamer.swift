package import Domain
package import EventStore

/// Follows the log for clients, whatever the transport.
package struct EventStreamer: Sendable {
    let store: EventStore
    let visible: @Sendable (Position) async throws -> Void
    let agentOfRun: @Sendable (RunID, WorkspaceName) async throws -> String?
    let heartbeat: Duration

    /// - Parameters:
    ///   - visible: returns once queries see a position; a stream never shows what a query does not.
    ///   - agentOfRun: which agent a run belongs to.
    ///   - heartbeat: how long a silence may last.
    package init(
        store: EventStore, visible: @escaping @Sendable (Position) async throws -> Void,
        agentOfRun: @escaping @Sendable (RunID, WorkspaceName) async throws -> String?,
        heartbeat: Duration = .seconds(15)
    ) {
        self.store = store
        self.visible = visible
        self.agentOfRun = agentOfRun
        self.heartbeat = heartbeat
    }

    /// Events after `position` that match, each once and in order, without end; with a run in the filter, until it is
    /// finished.
    package func follow(_ filter: EventFilter, after position: Position) -> EventFollower {
        EventFollower(streamer: self, filter: filter, subscription: store.subscribe(after: position))
    }
}

/// One client's place in the log: a cursor and at most one batch.
package struct EventFollower: AsyncSequence, AsyncIteratorProtocol, Sendable {
    private static let knownAgentsMax = 1024

    private let streamer: EventStreamer
    private let filter: EventFilter
    private var subscription: EventSubscription
    private var ready: [StreamItem] = []
    private var isEnded = false
    private var knownAgents: [RunID: String?] = [:]

    init(streamer: EventStreamer, filter: EventFilter, subscription: EventSubscription) {
        self.streamer = streamer
        self.filter = filter
        self.subscription = subscription
    }

    package func makeAsyncIterator() -> EventFollower { self }

    /// The next item; `nil` after the end, when the store is closed, or the task cancelled.
    package mutating func next() async throws -> StreamItem? {
        while ready.isEmpty {
            if isEnded { return nil }
            switch try await nextBatch() {
            case .silence: return .heartbeat(subscription.position)
            case .closed: return nil
            case .batch(let batch, let advanced):
                if let last = batch.last { try await streamer.visible(last.position) }
                try await take(batch)
                subscription = advanced
            }
        }
        return ready.removeFirst()
    }

    private enum Batch: Sendable {
        case batch([RecordedEvent], EventSubscription)
        case silence
        case closed
    }

    /// The next batch, or silence after the heartbeat's time. The cursor moves only with a batch that is taken.
    private func nextBatch() async throws -> Batch {
        let (cursor, heartbeat) = (subscription, streamer.heartbeat)
        return try await withThrowingTaskGroup(of: Batch.self) { group in
            group.addTask {
                var cursor = cursor
                guard let batch = try await cursor.next() else { return .closed }
                return .batch(batch, cursor)
            }
            group.addTask {
                try await Task.sleep(for: heartbeat)
                return .silence
            }
            defer { group.cancelAll() }
            return try await group.next() ?? .closed
        }
    }

    private mutating func take(_ batch: [RecordedEvent]) async throws {
        for recorded in batch {
            if filter.matches(recorded.event), try await isOfAgent(recorded.event) { ready.append(.event(recorded)) }
            if let runID = filter.runID, recorded.event.stream == .run(runID), recorded.event.finishesRun {
                ready.append(.end)
                isEnded = true
                return
            }
        }
    }

    private mutating func isOfAgent(_ event: Event) async throws -> Bool {
        guard let agentID = filter.agentID else { return true }
        guard let runID = event.runID else { return false }
        if let known = knownAgents[runID] { return known == agentID }
        let agent = try await streamer.agentOfRun(runID, event.workspace)
        if knownAgents.count >= Self.knownAgentsMax { knownAgents.removeAll() }
        knownAgents[runID] = agent
        return agent == agentID
    }
}

extension Event {
    fileprivate var finishesRun: Bool {
        if case .runStatusChanged(let changed) = payload { changed.status.isFinished } else { false }
    }
}
