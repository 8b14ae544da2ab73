import Domain
import EventStore
import EventStreaming
import Synchronization

/// Makes the events of runs, and plays the part of the queries that a stream asks.
final class RunScript: Sendable {
    private struct State {
        var counter: UInt64 = 0
        var sequences: [RunID: UInt64] = [:]
        var agents: [RunID: String] = [:]
        var finished: Set<RunID> = []
        var visible = Position.zero
    }

    let store: EventStore
    private let state = Mutex(State())

    init(recentEventsMax: Int = 8192) async {
        store = await EventStore(backend: InMemoryLogBackend(), recentEventsMax: recentEventsMax)
    }

    /// A streamer whose queries are this script's.
    func streamer(heartbeat: Duration = .seconds(3600)) -> EventStreamer {
        EventStreamer(
            store: store,
            visible: { position in self.state.withLock { $0.visible = max($0.visible, position) } },
            findRun: { run, _ in
                self.state.withLock { state in
                    state.agents[run].map {
                        FollowedRun(agentID: $0, isFinished: state.finished.contains(run))
                    }
                }
            }, heartbeat: heartbeat)
    }

    /// The newest position that a stream has waited for to become visible.
    var visible: Position { state.withLock { $0.visible } }

    func createRun(agent: String = "payments", workspace: WorkspaceName = .default) async throws -> RunID {
        let run = RunID(nextID())
        state.withLock { $0.agents[run] = agent }
        try await append(
            run, workspace: workspace, isShown: false,
            .runCreated(
                RunCreated(
                    agentID: agent, agentUID: nil, userID: "alice", conversationID: nil, invokeURL: nil,
                    initialMessage: nil, deadline: Timestamp(microseconds: 9))))
        return run
    }

    @discardableResult
    func say(_ text: String, in run: RunID, workspace: WorkspaceName = .default) async throws -> RecordedEvent {
        try await append(
            run, workspace: workspace,
            .runEventAdded(
                RunEventAdded(
                    type: "USER_MESSAGE", actor: "alice", payloadHash: nil,
                    data: .object { $0.add("message", text) })))
    }

    @discardableResult
    func finish(_ run: RunID) async throws -> RecordedEvent {
        state.withLock { _ = $0.finished.insert(run) }
        return try await append(
            run, workspace: .default, isShown: false,
            .runStatusChanged(RunStatusChanged(status: .completed, reason: nil)))
    }

    @discardableResult
    func append(
        _ run: RunID, workspace: WorkspaceName, isShown: Bool = true, _ payload: EventPayload
    ) async throws -> RecordedEvent {
        let sequence = state.withLock { state in
            state.sequences[run, default: 0] += 1
            return state.sequences[run, default: 0]
        }
        let event = Event(
            id: EventID(nextID()), time: Timestamp(microseconds: 1_790_000_000_000_000), workspace: workspace,
            stream: .run(run), streamSequence: sequence, actor: .scheduler,
            causation: Causation(index: 0, idempotency: nil), traceparent: nil,
            timeline: isShown ? TimelineMark(sequence: sequence, serverDriven: false) : nil, payload: payload)
        return try await store.append([event])[0]
    }

    private func nextID() -> UUIDValue {
        state.withLock { state in
            state.counter += 1
            return UUIDValue(high: 0x0193_0000_0000_7000, low: 0x8000_0000_0000_0000 | state.counter)
        }
    }
}

extension EventFilter {
    static func run(_ id: RunID) -> EventFilter {
        var filter = EventFilter(workspace: .default)
        filter.runID = id
        return filter
    }
}

extension EventFollower {
    /// Positions of the events until the end marker, the stream's own end, or that many events.
    mutating func positions(count: Int = .max) async throws -> (positions: [UInt64], isEnded: Bool) {
        var positions: [UInt64] = []
        while positions.count < count, let item = try await next() {
            switch item {
            case .event(let recorded): positions.append(recorded.position.value)
            case .heartbeat: continue
            case .end: return (positions, true)
            }
        }
        return (positions, false)
    }
}
