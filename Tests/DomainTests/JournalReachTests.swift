import Domain
import Testing

/// Recorded outcomes: each is given to the call that it belongs to, and a call without one is not taken for done.
@Suite struct JournalReachTests {
    private var scenario = Scenario()
    private let run: RunID

    init() throws { run = try scenario.createRun(invokeURL: "http://agent/invoke") }

    private mutating func attempt(_ number: UInt32) throws {
        if number > 1 {
            let failed = InvokeFailed(
                purpose: .start, attempt: number - 1, statusCode: nil, error: "gone", isRetryable: true)
            try scenario.when(.failInvoke(run: run, failed))
        }
        try scenario.when(
            .requestInvoke(run: run, InvokeRequested(purpose: .start, attempt: number, requestID: "req-\(number)")))
    }

    private mutating func begin(_ bytes: UInt64, action: ActionID? = nil) throws(Rejection) -> [EventPayload] {
        let call = ToolCall(
            id: scenario.newID(), toolID: "bank", capability: nil, method: "POST", url: "https://bank.test/pay",
            payloadHash: PayloadHash("sha256:\(bytes)"), fingerprint: UUIDValue(high: 0, low: bytes),
            isRepeatable: false)
        let block = BlockToolCall(
            actionID: action ?? scenario.newID(), requestID: scenario.newID(), reason: "",
            headers: JSONText(verified: "{}"), payload: nil)
        let begin = BeginToolCall(call: call, agentID: "payments", tool: .example, requirement: nil, block: block)
        return try scenario.when(.beginToolCall(run: run, begin)).map(\.payload)
    }

    /// Begins a call that is made; returns it as it was started.
    private mutating func started(_ bytes: UInt64) throws -> ToolCall {
        let events = try begin(bytes)
        return try #require(events.compactMap { if case .toolCallStarted(let it) = $0 { it.call } else { nil } }.first)
    }

    private mutating func finish(_ call: ToolCall, _ outcome: ToolCalled.Outcome) throws {
        let called = ToolCalled(call: call, outcome: outcome, latency: .zero, answerBytes: 0, answer: nil)
        try scenario.when(.recordToolCall(run: run, called))
    }

    @Test mutating func anAnswerIsGivenToItsOwnCallAlone() throws {
        try attempt(1)
        try finish(try started(1), .answered(statusCode: 200))
        try attempt(2)
        _ = try started(2)
        guard case .toolCallReplayed? = try begin(1).first else {
            Issue.record("the recorded answer was not given out")
            return
        }
    }

    @Test mutating func aCallThatTheProcessEndedInIsAskedAbout() throws {
        try attempt(1)
        let call = try started(1)
        try scenario.when(.recordInterruptedCall(run: run, call.id))
        try attempt(2)
        #expect(try begin(1).contains { if case .actionBlocked = $0 { true } else { false } })
    }

    @Test mutating func aCallThatWasNeverSentIsMadeAgain() throws {
        try attempt(1)
        try finish(try started(1), .unreached(statusCode: 502, error: "refused"))
        _ = try started(1)
    }

    @Test mutating func anApprovalSettlesNoOtherCallOfUnknownOutcome() throws {
        try attempt(1)
        for bytes in [UInt64(1), 2] { try finish(try started(bytes), .unknown(error: "broke off")) }
        try attempt(2)
        let action: ActionID = scenario.newID()
        _ = try begin(1, action: action)
        let hash = PayloadHash("sha256:1")
        try scenario.when(.approveAction(run: run, action: action, payloadHash: hash, reason: nil))
        try finish(try started(1), .answered(statusCode: 200))
        #expect(try begin(2).contains { if case .actionBlocked = $0 { true } else { false } })
    }

    @Test mutating func anotherCallInFlightStopsNone() throws {
        try attempt(1)
        _ = try started(1)
        _ = try started(2)
        #expect(throws: Rejection.self) { try begin(1) }
    }

    @Test mutating func aRunWaitsForEachOfItsBlockedCalls() throws {
        try attempt(1)
        for bytes in [UInt64(1), 2] { try finish(try started(bytes), .unknown(error: "broke off")) }
        try attempt(2)
        let (first, second): (ActionID, ActionID) = (scenario.newID(), scenario.newID())
        _ = try begin(1, action: first)
        _ = try begin(2, action: second)
        let hash = PayloadHash("sha256:1")
        try scenario.when(.approveAction(run: run, action: first, payloadHash: hash, reason: nil))
        #expect(scenario.state.runs[run]?.status == .pausedApproval)
        try scenario.when(.failRun(run: run, reason: "enough"))
        let failed = scenario.history.compactMap {
            if case .actionFailed(let failed) = $0.payload { failed.actionID } else { nil }
        }
        #expect(failed == [first, second], "neither can be approved or carried out any more")
    }
}
