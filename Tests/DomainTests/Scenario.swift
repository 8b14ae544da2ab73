import Domain
import Testing

/// Given events, when a command comes, then these events or that rejection.
struct Scenario {
    private(set) var state = ActiveState()
    private(set) var history: [Event] = []
    var settings = DecisionSettings()
    var workspace = WorkspaceName.default
    var actor = Actor(kind: .system, name: "tester")
    var actorGroups: [String] = []
    var agent: ActingAgent?
    var attemptID: String?
    private(set) var now = Timestamp(microseconds: 1_790_000_000_000_000)
    private var counter: UInt64 = 0

    mutating func newID<Entity>() -> Identifier<Entity> {
        counter += 1
        return Identifier(UUIDValue(high: 0x0193_0000_0000_7000, low: 0x8000_0000_0000_0000 | counter << 8))
    }

    mutating func advance(_ duration: Duration) { now = now.adding(duration) }

    @discardableResult
    mutating func when(_ command: Command) throws(Rejection) -> [Event] {
        let context = DecisionContext(
            time: now, workspace: workspace, actor: actor, actorGroups: actorGroups, agent: agent,
            attemptID: attemptID, commandID: newID(), idempotency: nil, traceparent: nil, settings: settings)
        let events = try state.decide(command, context)
        for event in events { state.evolve(event) }
        history += events
        return events
    }

    mutating func rejection(_ command: Command) -> Rejection? {
        do {
            try when(command)
            return nil
        } catch {
            return error
        }
    }

    /// Folds the history again, with other payloads: what an older version would have recorded.
    mutating func refold(_ change: (EventPayload) -> EventPayload) {
        history = history.map { event in
            Event(
                id: event.id, time: event.time, workspace: event.workspace, stream: event.stream,
                streamSequence: event.streamSequence, actor: event.actor, causation: event.causation,
                traceparent: event.traceparent, timeline: event.timeline, person: event.person,
                payload: change(event.payload))
        }
        state = ActiveState()
        for event in history { state.evolve(event) }
    }

    /// A new key of an approver of those groups.
    mutating func approver(_ name: String, _ groups: [String], onlyGroups: Bool = false) throws -> Actor {
        let id: APIKeyID = newID()
        try when(
            .createAPIKey(
                id: id,
                APIKeyCreated(
                    name: name, role: .approver, digest: name, prefix: "ra_ws_", last4: "1234", expiresAt: nil,
                    groups: groups, onlyGroups: onlyGroups)))
        return Actor(kind: .apiKey(id), name: name)
    }

    /// Deploys the agent of that name.
    mutating func deploy(_ name: String = "payments") throws {
        try when(
            .storeResources(
                StoreResources(items: [
                    StoreResources.Item(
                        kind: .agent, name: name, newID: newID(), document: JSONText(verified: "{}"))
                ])))
    }

    mutating func createRun(invokeURL: String? = nil) throws -> RunID {
        let id: RunID = newID()
        try when(
            .createRun(
                CreateRun(
                    runID: id, agentID: "payments", userID: "alice", conversationID: nil, invokeURL: invokeURL,
                    initialMessage: "pay")))
        return id
    }

    mutating func block(_ run: RunID, hash: String? = "sha256:" + String(repeating: "ab", count: 32)) throws -> ActionID
    {
        let id: ActionID = newID()
        try when(
            .blockAction(
                run: run,
                BlockAction(
                    actionID: id, toolID: "stripe", capability: "POST /charges", payloadHash: hash.map(PayloadHash.init)
                )))
        return id
    }

    var timeline: [String] { history.compactMap(\.timelineType) }
}
