package import Domain
package import EventStore

/// Follows the log for clients, whatever the transport.
package struct EventStreamer: Sendable {
    /// What a follower holds at most: one event is always let through.
    private static let batchEventsMax = 256
    private static let batchBytesMax = 128 * 1024

    let store: EventStore
    let visible: @Sendable (Position) async throws -> Void
    let findRun: @Sendable (RunID, WorkspaceName) async throws -> FollowedRun?
    let heartbeat: Duration
    /// The limit on long reads, which streams share while they read from the log.
    package let throttle: ReadThrottle

    /// - Parameters:
    ///   - visible: returns once queries see a position; a stream never shows what a query does not.
    ///   - findRun: what queries say of a run; `nil` when there is none in that workspace.
    ///   - heartbeat: how long a silence may last.
    ///   - throttle: shared with the other long reads of the service.
    package init(
        store: EventStore, visible: @escaping @Sendable (Position) async throws -> Void,
        findRun: @escaping @Sendable (RunID, WorkspaceName) async throws -> FollowedRun?,
        heartbeat: Duration = .seconds(15), throttle: ReadThrottle = ReadThrottle()
    ) {
        self.store = store
        self.visible = visible
        self.findRun = findRun
        self.heartbeat = heartbeat
        self.throttle = throttle
    }

    /// Events after `position` that match, each once and in order, without end.
    ///
    /// With a run in the filter, an `.end` comes after the event that finished it; at once, when that one is not after
    /// `position`.
    package func follow(_ filter: EventFilter, after position: Position) -> EventFollower {
        let subscription = store.subscribe(
            after: position, eventsMax: Self.batchEventsMax, bytesMax: Self.batchBytesMax)
        return EventFollower(
            scan: EventScan(streamer: self, filter: filter, subscription: subscription), heartbeat: heartbeat)
    }
}

/// What a stream has to know of a run.
package struct FollowedRun: Hashable, Sendable {
    package let agentID: String
    package let isFinished: Bool

    package init(agentID: String, isFinished: Bool) {
        self.agentID = agentID
        self.isFinished = isFinished
    }
}
