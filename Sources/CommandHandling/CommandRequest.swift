package import Domain

/// Who sends a command, from where, and how often it may be repeated.
package struct CommandRequest: Sendable {
    package let workspace: WorkspaceName
    package let actor: Actor
    /// The groups of approvers that a person's token names.
    package let actorGroups: [String]
    /// The agent that sends it; `nil` for every other actor.
    package let agent: ActingAgent?
    /// The attempt of a run that it belongs to (`X-Request-Id`); `nil` when it names none.
    package let attemptID: String?
    package let idempotency: IdempotencyToken?
    package let traceparent: String?

    package init(
        workspace: WorkspaceName, actor: Actor, actorGroups: [String] = [], agent: ActingAgent? = nil,
        attemptID: String? = nil, idempotency: IdempotencyToken? = nil, traceparent: String? = nil
    ) {
        self.workspace = workspace
        self.actor = actor
        self.actorGroups = actorGroups
        self.agent = agent
        self.attemptID = attemptID
        self.idempotency = idempotency
        self.traceparent = traceparent
    }

    /// The request without its idempotency token.
    var withoutKey: CommandRequest {
        CommandRequest(
            workspace: workspace, actor: actor, actorGroups: actorGroups, agent: agent, attemptID: attemptID,
            traceparent: traceparent)
    }
}

/// What became of a command: its events are on disk.
package struct Receipt: Sendable {
    /// The last event's position, or the newest one when the command changed nothing.
    package let position: Position
    /// The command's events; the first ones when this request repeats an earlier one.
    package let events: [RecordedEvent]
    /// Whether the events are an earlier request's with the same `Idempotency-Key`.
    package let isRepeated: Bool
}

/// Why a command was not carried out. Nothing of it is in the log, unless the process stopped meanwhile.
package enum CommandError: Error, Sendable {
    case rejected(Rejection)
    /// The `Idempotency-Key` was used before with another request.
    case idempotencyMismatch
    /// The queue of commands is full; the same command may succeed in a moment.
    case overloaded
    /// The disk is full; commands succeed again once there is space.
    case readOnly(String)
    /// The log accepts no more writes; the process has to be restarted.
    case stopped(String)
}
