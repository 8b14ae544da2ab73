import Domain
import Testing

/// A caller that goes away before it has the outcome and asks again makes no second call, and a run ends after its calls.
@Suite struct UndeliveredCallTests {
    private static let needed = RequiredApproval(name: "rule", groups: [], needsEveryGroup: false, duration: nil)
    private var scenario = Scenario()
    private let run: RunID

    init() throws { run = try scenario.createRun(invokeURL: "http://agent/invoke") }

    private var state: RunState? { scenario.state.runs[run] }

    private mutating func invoke(_ number: UInt32 = 1) throws {
        try scenario.when(
            .requestInvoke(
                run: run, InvokeRequested(purpose: .start, attempt: number, requestID: "req-\(run)-\(number)")))
    }

    private mutating func complete(_ number: UInt32 = 1) throws {
        try scenario.when(
            .completeInvoke(
                run: run,
                InvokeCompleted(purpose: .start, attempt: number, statusCode: 200, response: nil, outcome: .finished)))
    }

    private mutating func begin(
        undelivered: ToolCallID? = nil, approval: Bool = false
    ) throws(Rejection) -> EventPayload? {
        let call = ToolCall(
            id: scenario.newID(), toolID: "bank", capability: nil, method: "POST", url: "https://bank.test/pay",
            payloadHash: PayloadHash("sha256:1"), fingerprint: UUIDValue(high: 0, low: 1), isRepeatable: false)
        let block = BlockToolCall(
            actionID: scenario.newID(), requestID: scenario.newID(), reason: "", headers: JSONText(verified: "{}"),
            payload: nil)
        return try scenario.when(
            .beginToolCall(
                run: run,
                BeginToolCall(
                    call: call, agentID: "payments", tool: .example, requirement: approval ? Self.needed : nil,
                    block: block, undelivered: undelivered))
        ).map(\.payload).first {
            switch $0 {
            case .toolCallStarted, .toolCallReplayed, .actionBlocked: true
            default: false
            }
        }
    }

    private mutating func started(undelivered: ToolCallID? = nil, approval: Bool = false) throws -> ToolCall {
        guard case .toolCallStarted(let started)? = try begin(undelivered: undelivered, approval: approval) else {
            throw Rejection(.invalidArgument, "no call was started")
        }
        return started.call
    }

    private mutating func finish(_ call: ToolCall, _ outcome: ToolCalled.Outcome = .answered(statusCode: 200)) throws {
        try scenario.when(
            .recordToolCall(
                run: run, ToolCalled(call: call, outcome: outcome, latency: .zero, answerBytes: 0, answer: nil)))
    }

    @Test mutating func theCallThatIsMadeAgainWaitsForItsOutcomeAndGetsIt() throws {
        try invoke()
        let first = try started()
        #expect(throws: Rejection.self) { try begin(undelivered: first.id) }
        try finish(first)
        #expect(try begin(undelivered: first.id) == .toolCallReplayed(ToolCallReplayed(callID: first.id)))
        #expect(try started().occurrence == 2, "another call of the same bytes is another call")
    }

    @Test mutating func aCallWithoutOutcomeIsMadeByTheRulesOfEveryOther() throws {
        try invoke()
        let first = try started()
        try finish(first, .unreached(statusCode: 502, error: "no"))
        let second = try started(undelivered: first.id)
        try finish(second, .unknown(error: "broke off"))
        guard case .actionBlocked? = try begin(undelivered: second.id) else {
            Issue.record("an unknown outcome is a question to a person")
            return
        }
    }

    @Test mutating func anotherAttemptTakesItsRecordsInTheirOrder() throws {
        try invoke()
        let calls = [try started(), try started()]
        for call in calls { try finish(call) }
        try scenario.when(
            .failInvoke(
                run: run,
                InvokeFailed(purpose: .start, attempt: 1, statusCode: nil, error: "no", isRetryable: true)))
        try invoke(2)
        #expect(try begin(undelivered: calls[1].id) == .toolCallReplayed(ToolCallReplayed(callID: calls[0].id)))
    }

    @Test(arguments: [true, false])
    mutating func aRunEndsAfterTheCallThatIsInFlight(isInterrupted: Bool) throws {
        try invoke()
        let call = try started()
        try complete()
        #expect(state?.status == .running && state?.nextPurpose == nil)
        if isInterrupted {
            try scenario.when(.recordInterruptedCall(run: run, call.id))
        } else {
            try finish(call)
        }
        #expect(state == nil)
    }

    @Test mutating func anApprovedCallOfUnknownOutcomeKeepsTheRunGoing() throws {
        try invoke()
        guard case .actionBlocked(let blocked)? = try begin(approval: true) else {
            Issue.record("it was not blocked")
            return
        }
        try scenario.when(
            .approveAction(
                run: run, action: blocked.actionID, payloadHash: PayloadHash("sha256:1"), reason: nil))
        try finish(try started(approval: true), .unknown(error: "broke off"))
        try complete()
        #expect(state?.nextPurpose == .start)
        try invoke(2)
        guard case .actionBlocked(let asked)? = try begin(approval: true) else {
            Issue.record("nobody is asked")
            return
        }
        #expect(asked.call?.reason == BlockedCall.unknownOutcomeReason)
        #expect(state?.action(blocked.actionID)?.status == .failed)
    }
}
