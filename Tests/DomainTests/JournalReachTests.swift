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

    /// A call of unknown outcome, which the next attempt asks about and a person approves; the action's ID.
    private mutating func approveRepetition() throws -> ActionID {
        try attempt(1)
        try finish(try started(1), .unknown(error: "broke off"))
        try attempt(2)
        let action: ActionID = scenario.newID()
        _ = try begin(1, action: action)
        try scenario.when(
            .approveAction(run: run, action: action, payloadHash: PayloadHash("sha256:1"), reason: nil))
        return action
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

    @Test mutating func likeCallsAtTheSameTimeAreDifferentOccurrences() throws {
        try attempt(1)
        let calls = [try started(1), try started(2), try started(1), try started(1)]
        #expect(calls.map(\.occurrence) == [1, 1, 2, 3])
    }

    @Test mutating func anUnreachableToolLeavesARepetitionAsUnknownAsItsFirstCall() throws {
        let action = try approveRepetition()
        let repeated = try started(1)
        #expect(repeated.occurrence == 1 && repeated.actionID == action)
        try finish(repeated, .unreached(statusCode: 502, error: "refused"))
        #expect(try started(1).occurrence == 1, "the same occurrence, hence the same key")
    }

    @Test mutating func anAnsweredRepetitionLeavesNothingUnknown() throws {
        _ = try approveRepetition()
        try finish(try started(1), .answered(statusCode: 200))
        #expect(scenario.state.runs[run]?.calls.entries.map(\.stage) == [.answered])
    }

    @Test mutating func aSupersededAttemptsQuestionIsNoRecordOfTheLiveOne() throws {
        try attempt(1)
        let read = ToolCall(
            id: scenario.newID(), toolID: "bank", capability: nil, method: "GET", url: "https://bank.test/pay",
            payloadHash: PayloadHash("sha256:9"), fingerprint: UUIDValue(high: 1, low: 9), isRepeatable: true,
            attempt: 1)
        try attempt(2)
        try finish(read, .answered(statusCode: 200))
        #expect(scenario.state.runs[run]?.calls.entries.isEmpty == true)
    }

    /// Lookups do not search a run's records one by one: 5,000 effects are replayed well within a second.
    @Test mutating func aLongRunIsReplayedInAMoment() throws {
        try attempt(1)
        for number in 0..<5_000 { try finish(try started(UInt64(number % 50)), .answered(statusCode: 200)) }
        try attempt(2)
        let start = ContinuousClock.now
        for number in 0..<5_000 {
            guard case .toolCallReplayed? = try begin(UInt64(number % 50)).first else {
                Issue.record("call \(number) was not replayed")
                return
            }
        }
        print("5,000 recorded effects replayed in \(ContinuousClock.now - start)")
        #expect(ContinuousClock.now - start < .seconds(30), "without optimisation, on a busy machine")
        #expect(try begin(0).contains { if case .toolCallStarted = $0 { true } else { false } })
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
