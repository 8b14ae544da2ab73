import Domain
import Testing

/// Stops and starts: what they refuse, and how long they hold.
@Suite struct ControlRulesTests {
    private var scenario: Scenario

    init() throws {
        scenario = Scenario()
        try scenario.when(
            .storeResources(
                StoreResources(items: [
                    .init(kind: .agent, name: "payer", newID: scenario.newID(), document: JSONText(verified: "{}"))
                ])))
    }

    private mutating func stop(
        _ kind: ControlKind, _ name: String, reason: String? = nil, holdsRuns: Bool = true
    ) throws(Rejection) -> [Event] {
        let stopped = ControlStopped(kind: kind, name: name, reason: reason, holdsRuns: holdsRuns)
        return try scenario.when(.stop(StopControl(id: scenario.newID(), stopped)))
    }

    private mutating func createRun(invokeURL: String? = "http://agent/invoke") throws(Rejection) -> RunID {
        let id: RunID = scenario.newID()
        try scenario.when(
            .createRun(
                CreateRun(
                    runID: id, agentID: "payer", userID: "ada", conversationID: nil, invokeURL: invokeURL,
                    initialMessage: nil)))
        return id
    }

    @Test mutating func aStopIsOneStreamFromItsOrderToItsEnd() throws {
        let first = try stop(.agent, "payer", reason: "audit")
        #expect(try stop(.agent, "payer", reason: "audit").isEmpty)
        let changed = try stop(.agent, "payer", reason: "audit", holdsRuns: false)
        let end = try scenario.when(.start(ControlStarted(kind: .agent, name: "payer", reason: nil)))
        let events = first + changed + end
        #expect(Set(events.map(\.stream)).count == 1 && events.map(\.streamSequence) == [1, 2, 3])
        #expect(scenario.state.controls.isEmpty)
        #expect(try scenario.when(.start(ControlStarted(kind: .agent, name: "payer", reason: nil))).isEmpty)
    }

    @Test mutating func whatIsNotThereCannotBeStopped() throws {
        let unknown = ControlStopped(kind: .tool, name: "none", reason: nil, holdsRuns: true)
        #expect(
            scenario.rejection(.stop(StopControl(id: scenario.newID(), unknown)))?.code == .resourceNotFound)
    }

    @Test(arguments: [ControlKind.agent, .workspace])
    mutating func noAttemptStartsAndNoEffectHappensUnderAStop(kind: ControlKind) throws {
        let run = try createRun()
        try scenario.when(
            .requestInvoke(run: run, InvokeRequested(purpose: .start, attempt: 1, requestID: "req-\(run)-1")))
        let idle = try createRun()
        _ = try stop(kind, kind == .agent ? "payer" : "default")
        let expected: RejectionErrorCode = kind == .agent ? .agentStopped : .workspaceStopped
        let invoke = InvokeRequested(purpose: .start, attempt: 1, requestID: "req-\(idle)-1")
        #expect(scenario.rejection(.requestInvoke(run: idle, invoke))?.code == expected)
        scenario.agent = ActingAgent(name: "payer", isManaged: true, turns: [run])
        let result = ToolResultRecorded(toolID: nil, document: JSONText(verified: "{}"))
        #expect(scenario.rejection(.recordToolResult(run: run, result))?.code == expected)
        scenario.agent = nil
        _ = try createRun()
    }

    @Test mutating func aStopThatCancelsRefusesNewRuns() throws {
        _ = try stop(.agent, "payer", reason: "it ran away", holdsRuns: false)
        let create = CreateRun(
            runID: scenario.newID(), agentID: "payer", userID: "ada", conversationID: nil, invokeURL: nil,
            initialMessage: nil)
        let rejection = scenario.rejection(.createRun(create))
        #expect(rejection?.code == .agentStopped && rejection?.message.contains("it ran away") == true)
    }

    @Test mutating func aStopOutlivesItsAgent() throws {
        _ = try stop(.agent, "payer")
        try scenario.when(.deleteResource(kind: .agent, name: "payer"))
        #expect(scenario.state.stop(ofAgent: "payer", in: .default) != nil)
        try scenario.when(.start(ControlStarted(kind: .agent, name: "payer", reason: nil)))
        #expect(scenario.state.stop(ofAgent: "payer", in: .default) == nil)
    }

    @Test mutating func aStoppedAttemptIsNotOneThatFailed() throws {
        let run = try createRun()
        try scenario.when(
            .requestInvoke(run: run, InvokeRequested(purpose: .start, attempt: 1, requestID: "req-\(run)-1")))
        try scenario.when(
            .failInvoke(
                run: run,
                InvokeFailed(
                    purpose: .start, attempt: 1, statusCode: nil, error: "stopped", isRetryable: true,
                    isStopped: true)))
        #expect(scenario.state.runs[run]?.attemptsWithoutProgress == 0)
    }
}
