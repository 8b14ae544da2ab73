import Domain
import Testing

/// Calls that an approved action covers: the very call that was blocked, once.
@Suite struct ApprovalReachTests {
    private static let requirement = RequiredApproval(name: "", groups: [], needsEveryGroup: false, duration: nil)

    private var scenario = Scenario()
    private let run: RunID

    init() throws {
        run = try scenario.createRun(invokeURL: "http://agent/invoke")
        try scenario.when(
            .requestInvoke(run: run, InvokeRequested(purpose: .start, attempt: 1, requestID: "req")))
    }

    private mutating func call(
        tool: String = "bank", method: String = "POST", url: String = "https://bank.test/pay", bytes: UInt64 = 1
    ) -> ToolCall {
        ToolCall(
            id: scenario.newID(), toolID: tool, capability: nil, method: method, url: url,
            payloadHash: PayloadHash("sha256:\(bytes)"), fingerprint: UUIDValue(high: bytes, low: 1),
            isRepeatable: false)
    }

    private mutating func begin(_ call: ToolCall, blocks: Bool = false) throws(Rejection) -> [EventPayload] {
        let block = BlockToolCall(
            actionID: scenario.newID(), requestID: scenario.newID(), reason: "", headers: JSONText(verified: "{}"),
            payload: nil)
        let begin = BeginToolCall(
            call: call, agentID: "payments", tool: .example, requirement: Self.requirement, block: blocks ? block : nil)
        return try scenario.when(.beginToolCall(run: run, begin)).map(\.payload)
    }

    private mutating func needsApproval(_ call: ToolCall) -> Bool {
        do {
            _ = try begin(call)
            return false
        } catch {
            return error.code == .approvalRequired
        }
    }

    /// Blocks a call; returns its action.
    private mutating func blocked() throws -> ActionBlocked {
        let events = try begin(call(), blocks: true)
        return try #require(
            events.compactMap { if case .actionBlocked(let blocked) = $0 { blocked } else { nil } }.first)
    }

    private mutating func approve(_ blocked: ActionBlocked) throws {
        try scenario.when(
            .approveAction(run: run, action: blocked.actionID, payloadHash: blocked.payloadHash, reason: nil))
    }

    @Test mutating func coversTheCallThatWasBlocked() throws {
        let blocked = try blocked()
        try approve(blocked)
        guard case .toolCallStarted(let started)? = try begin(call()).first else {
            Issue.record("it did not start")
            return
        }
        #expect(started.call.actionID == blocked.actionID)
    }

    @Test mutating func coversNothingBeforeTheDecision() throws {
        let action = try blocked().actionID
        #expect(throws: Rejection.self) { try begin(call()) }
        do {
            _ = try begin(call(), blocks: true)
        } catch {
            #expect(error.code == .approvalPending && error.actionID == action)
        }
        #expect(scenario.state.runs[run]?.actions.count == 1)
    }

    @Test mutating func coversNoOtherTool() throws {
        try approve(try blocked())
        #expect(needsApproval(call(tool: "ledger")))
    }

    @Test mutating func coversNoOtherMethod() throws {
        try approve(try blocked())
        #expect(needsApproval(call(method: "DELETE")))
    }

    @Test mutating func coversNoOtherURL() throws {
        try approve(try blocked())
        #expect(needsApproval(call(url: "https://bank.test/pay?to=mallory")))
    }

    @Test mutating func ofAClientsActionWithoutAHashCoversNoCall() throws {
        let action: ActionID = scenario.newID()
        let own = try scenario.createRun()
        let block = BlockAction(actionID: action, toolID: "bank", capability: nil, payloadHash: nil)
        try scenario.when(.blockAction(run: own, block))
        try scenario.when(.approveAction(run: own, action: action, payloadHash: nil, reason: nil))
        let begin = BeginToolCall(call: call(), agentID: "payments", tool: .example, requirement: Self.requirement)
        #expect(scenario.rejection(.beginToolCall(run: own, begin))?.code == .approvalRequired)
    }

    @Test mutating func anActionThatWaitsIsNotExecuted() throws {
        let action = try blocked().actionID
        let executed = Command.markActionExecuted(run: run, action: action)
        #expect(scenario.rejection(executed)?.code == .actionNotApproved)
        #expect(
            scenario.rejection(.markActionFailed(run: run, action: action, reason: "x"))?.code == .actionNotApproved)
    }

    @Test mutating func anActionOfTheGateExpiresOnlyWhenItsWindowHasPassed() throws {
        let action = try blocked().actionID
        #expect(scenario.rejection(.expireAction(run: run, action: action))?.code == .invalidArgument)
        scenario.advance(scenario.settings.approvalWindow)
        try scenario.when(.expireAction(run: run, action: action))
    }

    @Test mutating func callsOfARunAreLimited() throws {
        scenario.settings.limits.toolCallsPerRunMax = 1
        try approve(try blocked())
        _ = try begin(call())
        let second = BeginToolCall(call: call(bytes: 2), agentID: "payments", tool: .example, requirement: nil)
        #expect(scenario.rejection(.beginToolCall(run: run, second))?.code == .limitReached)
    }

    @Test mutating func actionsOfARunAreLimited() throws {
        scenario.settings.limits.actionsPerRunMax = 1
        _ = try blocked()
        let other = call(bytes: 2)
        #expect(throws: Rejection.self) { try begin(other, blocks: true) }
    }
}
