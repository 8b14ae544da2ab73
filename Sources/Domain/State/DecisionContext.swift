/// Everything a decision needs from outside: the clock, the new ids and who asks.
package struct DecisionContext: Hashable, Sendable {
    package let time: Timestamp
    package let workspace: WorkspaceName
    package let actor: Actor
    /// The groups of approvers that a person is in, as their token says; those of a key are in the state.
    package let actorGroups: [String]
    /// The agent that asks; `nil` for every other actor.
    package let agent: ActingAgent?
    /// The attempt that the command belongs to, as its `X-Request-Id` says; `nil` when it does not say.
    package let attemptID: String?
    /// The command's id, UUIDv7, and the id of its first event.
    package let commandID: EventID
    package let idempotency: IdempotencyToken?
    package let traceparent: String?
    package let settings: DecisionSettings

    package init(
        time: Timestamp, workspace: WorkspaceName, actor: Actor, actorGroups: [String] = [],
        agent: ActingAgent? = nil, attemptID: String? = nil, commandID: EventID, idempotency: IdempotencyToken?,
        traceparent: String?, settings: DecisionSettings
    ) {
        self.time = time
        self.workspace = workspace
        self.actor = actor
        self.actorGroups = actorGroups
        self.agent = agent
        self.attemptID = attemptID
        self.commandID = commandID
        self.idempotency = idempotency
        self.traceparent = traceparent
        self.settings = settings
    }

    /// The command's `index`-th event. A run's events take their sequences from `RunDecision` instead.
    func event(
        _ index: Int, stream: StreamID, sequence: UInt64, timeline: TimelineMark? = nil, person: String? = nil,
        _ payload: EventPayload
    ) -> Event {
        Event(
            id: EventID(UUIDValue(high: commandID.value.high, low: commandID.value.low &+ UInt64(index))),
            time: time, workspace: workspace, stream: stream, streamSequence: sequence, actor: actor,
            causation: Causation(index: UInt32(index), idempotency: index == 0 ? idempotency : nil),
            traceparent: traceparent, timeline: timeline, person: person, payload: payload)
    }
}

/// What an operator may tune about the rules.
package struct DecisionSettings: Hashable, Sendable {
    package var limits = Limits()
    /// The bounds of one run's effects, where its agent names no others.
    package var runLimits = RunLimits()
    /// How long a run may take from its creation to its end.
    package var runTimeout: Duration = .seconds(7 * 24 * 3600)
    /// How long a blocked action or an access request waits for a decision.
    package var approvalWindow: Duration = .seconds(24 * 3600)
    /// Whether whoever started a run may approve calls of it that the gate has blocked.
    package var allowsSelfApproval = false
    /// The duration of a grant when neither rule nor approver says.
    package var grantDuration: Duration = .seconds(4 * 3600)
    /// The longest grant where no approval rule has a duration.
    package var grantDurationMax: Duration = .seconds(7 * 24 * 3600)
    /// How long an analysis of sources can be read.
    package var analysisRetention: Duration = .seconds(3600)

    package init() {}
}
