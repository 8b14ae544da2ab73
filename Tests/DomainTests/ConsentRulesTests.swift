import Domain
import Testing

/// A tool that acts for a person waits for that person, and for nobody else.
@Suite struct ConsentRulesTests {
    private var scenario = Scenario()

    init() throws {
        let tool = StoreResources.Item(
            kind: .tool, name: "mail", newID: scenario.newID(), document: JSONText(verified: "{}"))
        try scenario.when(.storeResources(StoreResources(items: [tool])))
    }

    private mutating func require(_ run: RunID, tool: String = "mail") throws(Rejection) -> [EventPayload] {
        try scenario.when(
            .requireConsent(
                run: run, RequireConsent(actionID: scenario.newID(), toolID: tool, agentID: "payments"))
        ).map(\.payload)
    }

    private mutating func waiting(_ run: RunID) throws -> ActionID {
        _ = try require(run)
        return try #require(scenario.state.runs[run]?.consent(toolID: "mail")?.id)
    }

    private mutating func give(_ run: RunID, _ action: ActionID) throws(Rejection) -> [EventPayload] {
        let sealed = SealedSecret(keyID: scenario.newID(), ciphertext: [1])
        let token = StoreSecret(name: "consent:alice", sealed: sealed, newID: scenario.newID())
        return try scenario.when(
            .giveConsent(run: run, GiveConsent(actionID: action, token: token, scope: "mail.read"))
        ).map(\.payload)
    }

    @Test mutating func pausesTheRunOnceForEachTool() throws {
        let run = try scenario.createRun()
        let action = try waiting(run)
        #expect(scenario.state.runs[run]?.status == .pausedConsent)
        #expect(try require(run).isEmpty && scenario.state.runs[run]?.actions.map(\.id) == [action])
        #expect(scenario.timeline == ["CONSENT_REQUIRED"])
    }

    @Test mutating func keepsTheTokenAndGoesOnInOne() throws {
        let run = try scenario.createRun()
        let action = try waiting(run)
        let events = try give(run, action)
        #expect(scenario.state.runs[run]?.status == .running)
        #expect(scenario.state.runs[run]?.action(action)?.status == .executed)
        #expect(events.contains { if case .secretStored(let stored) = $0 { stored.owner == "mail" } else { false } })
        #expect(scenario.timeline == ["CONSENT_REQUIRED", "CONSENT_GRANTED"])
        #expect(throws: Rejection.self) { try give(run, action) }
    }

    @Test mutating func resumesAnAgentThatTheServerDrives() throws {
        let run = try scenario.createRun(invokeURL: "http://agent/invoke")
        let start = InvokeRequested(purpose: .start, attempt: 1, requestID: "req")
        try scenario.when(.requestInvoke(run: run, start))
        let action = try waiting(run)
        try scenario.when(
            .completeInvoke(
                run: run,
                InvokeCompleted(
                    purpose: .start, attempt: 1, statusCode: 200, response: nil, outcome: .awaitingConsent)))
        _ = try give(run, action)
        #expect(scenario.state.runs[run]?.action(action)?.status == .approved)
        try scenario.when(
            .requestInvoke(run: run, InvokeRequested(purpose: .resume(action), attempt: 1, requestID: "req")))
        try scenario.when(
            .completeInvoke(
                run: run,
                InvokeCompleted(
                    purpose: .resume(action), attempt: 1, statusCode: 200, response: nil, outcome: .finished)))
        #expect(scenario.timeline.last == "COMPLETED")
    }

    @Test mutating func isNobodyElsesToGive() throws {
        let run = try scenario.createRun()
        let action = try waiting(run)
        let approve = Command.approveAction(run: run, action: action, payloadHash: nil, reason: nil)
        #expect(scenario.rejection(approve)?.code == .consentIsTheUsers)
        #expect(scenario.rejection(.changeRunStatus(run: run, .running))?.code == .invalidTransition)
    }

    @Test mutating func approvesNoCallOfTheTool() throws {
        let run = try scenario.createRun()
        _ = try give(run, try waiting(run))
        let call = ToolCall(
            id: scenario.newID(), toolID: "mail", capability: nil, method: "POST", url: "https://mail.example.com/",
            payloadHash: PayloadHash("sha256:1"), fingerprint: UUIDValue(high: 0, low: 1), isRepeatable: false)
        let requirement = RequiredApproval(name: "mails", groups: [], needsEveryGroup: false, duration: nil)
        let begin = BeginToolCall(call: call, agentID: "payments", tool: .example, requirement: requirement, block: nil)
        #expect(scenario.rejection(.beginToolCall(run: run, begin))?.code == .approvalRequired)
    }

    @Test mutating func isTooLateWhenTheRunOrTheToolIsGone() throws {
        let (ended, orphaned) = (try scenario.createRun(), try scenario.createRun())
        let (first, second) = (try waiting(ended), try waiting(orphaned))
        try scenario.when(.failRun(run: ended, reason: "cancelled"))
        #expect(throws: Rejection.self) { try give(ended, first) }
        try scenario.when(.deleteResource(kind: .tool, name: "mail"))
        #expect(throws: Rejection.self) { try give(orphaned, second) }
        #expect(scenario.state.runs[orphaned]?.status == .pausedConsent)
    }
}
