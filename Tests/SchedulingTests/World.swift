import Domain
import Scheduling

/// The writer's rules and the scheduler's machine in one thread, with a clock that the test sets.
struct World {
    var configuration = SchedulerConfiguration()
    private(set) var state = ActiveState()
    var scheduler = SchedulerState(ActiveState(), SchedulerConfiguration())
    var now = Timestamp(microseconds: 1_790_000_000_000_000)
    private var counter: UInt64 = 0

    mutating func newID<Entity>() -> Identifier<Entity> {
        counter += 1
        return Identifier(UUIDValue(high: 0x0193_0000_0000_7000, low: 0x8000_0000_0000_0000 | counter << 8))
    }

    /// The scheduler forgets everything and takes up what the writer remembers.
    mutating func restart() { scheduler = SchedulerState(state, configuration) }

    mutating func send(_ command: Command, as actor: Actor = .scheduler) throws(Rejection) {
        let context = DecisionContext(
            time: now, workspace: .default, actor: actor, commandID: newID(), idempotency: nil,
            traceparent: nil, settings: DecisionSettings())
        for event in try state.decide(command, context) {
            state.evolve(event)
            scheduler.on(event)
        }
    }

    /// Carries out everything that is due now, and what becomes due by it.
    mutating func work() throws(Rejection) -> [Command] {
        var done: [Command] = []
        while true {
            let due = scheduler.due(at: now)
            guard !due.isEmpty else { return done }
            for item in due {
                try send(item.command)
                done.append(item.command)
            }
        }
    }

    func requestedInvokes(_ commands: [Command]) -> [RunID] {
        commands.compactMap { if case .requestInvoke(let run, _) = $0 { run } else { nil } }
    }

    mutating func createRun(
        agent: String = "a", invokeURL: String? = "http://agent/invoke"
    ) throws(Rejection) -> RunID {
        let id: RunID = newID()
        try send(
            .createRun(
                CreateRun(
                    runID: id, agentID: agent, userID: "u", conversationID: nil, invokeURL: invokeURL,
                    initialMessage: nil)))
        return id
    }

    mutating func block(_ run: RunID) throws(Rejection) -> ActionID {
        let id: ActionID = newID()
        try send(
            .blockAction(run: run, BlockAction(actionID: id, toolID: "t", capability: nil, payloadHash: nil)))
        return id
    }

    /// A call that the gate blocks, and its approval.
    mutating func approvedCall(_ run: RunID) throws(Rejection) -> ActionID {
        let id: ActionID = newID()
        let call = ToolCall(
            id: newID(), toolID: "t", capability: nil, method: "POST", url: "https://t.test/",
            payloadHash: PayloadHash("sha256:1"),
            fingerprint: UUIDValue(high: 0, low: 1), isRepeatable: false)
        let block = BlockToolCall(
            actionID: id, requestID: newID(), reason: "", headers: JSONText(verified: "{}"), payload: nil)
        let needed = RequiredApproval(name: "rule", groups: [], needsEveryGroup: false, duration: nil)
        try send(
            .beginToolCall(
                run: run,
                BeginToolCall(
                    call: call, agentID: "a",
                    tool: ToolIdentity(id: ResourceID(UUIDValue(high: 0, low: 9)), origin: "https://t.test"),
                    requirement: needed, block: block)))
        try send(.approveAction(run: run, action: id, payloadHash: call.payloadHash, reason: nil))
        return id
    }

    mutating func saveCheckpoint(_ run: RunID, _ action: ActionID) throws(Rejection) {
        try send(
            .saveCheckpoint(
                run: run,
                CheckpointSaved(
                    checkpointID: newID(), actionID: action.description, document: JSONText(verified: "{}"),
                    restartsHandler: true)))
    }

    mutating func complete(_ run: RunID, _ outcome: InvokeOutcome) throws(Rejection) {
        guard let open = state.runs[run]?.openInvoke else { return }
        try send(
            .completeInvoke(
                run: run,
                InvokeCompleted(
                    purpose: open.purpose, attempt: open.attempt, statusCode: 200, response: nil, outcome: outcome)))
    }

    mutating func fail(_ run: RunID, statusCode: UInt32 = 500, isRetryable: Bool = true) throws(Rejection) {
        guard let open = state.runs[run]?.openInvoke else { return }
        try send(
            .failInvoke(
                run: run,
                InvokeFailed(
                    purpose: open.purpose, attempt: open.attempt, statusCode: statusCode, error: "no",
                    isRetryable: isRetryable)))
    }
}
