import Domain
import Testing

/// One attempt of a run is live, a run that waits performs nothing, and a run goes on until its approvals are carried out.
@Suite struct AttemptRulesTests {
    private static let needed = RequiredApproval(name: "rule", groups: [], needsEveryGroup: false, duration: nil)
    private var scenario = Scenario()
    private let run: RunID
    private var number: UInt32 = 0

    init() throws { run = try scenario.createRun(invokeURL: "http://agent/invoke") }

    private var state: RunState? { scenario.state.runs[run] }

    private mutating func invoke(_ purpose: InvokePurpose = .start) throws {
        number += 1
        try scenario.when(
            .requestInvoke(
                run: run, InvokeRequested(purpose: purpose, attempt: number, requestID: "req-\(run)-\(number)")))
    }

    private mutating func complete(_ purpose: InvokePurpose = .start, _ outcome: InvokeOutcome = .finished) throws {
        try scenario.when(
            .completeInvoke(
                run: run,
                InvokeCompleted(purpose: purpose, attempt: number, statusCode: 200, response: nil, outcome: outcome)))
    }

    private mutating func fail(
        _ purpose: InvokePurpose = .start, _ statusCode: UInt32? = nil, isRetryable: Bool = true
    ) throws {
        try scenario.when(
            .failInvoke(
                run: run,
                InvokeFailed(
                    purpose: purpose, attempt: number, statusCode: statusCode, error: "no", isRetryable: isRetryable)))
    }

    private mutating func begin(
        _ body: UInt64, approval: Bool = false, method: String = "POST", claimed: ActionID? = nil
    ) throws(Rejection) -> [EventPayload] {
        let call = ToolCall(
            id: scenario.newID(), toolID: "bank", capability: nil, method: method, url: "https://bank.test/pay",
            payloadHash: PayloadHash("sha256:\(body)"), fingerprint: UUIDValue(high: 0, low: body),
            isRepeatable: method == "GET")
        let block = BlockToolCall(
            actionID: scenario.newID(), requestID: scenario.newID(), reason: "", headers: JSONText(verified: "{}"),
            payload: nil)
        return try scenario.when(
            .beginToolCall(
                run: run,
                BeginToolCall(
                    call: call, agentID: "payments", tool: .example, requirement: approval ? Self.needed : nil,
                    block: block, claimedActionID: claimed))
        ).map(\.payload)
    }

    private mutating func rejection(_ body: UInt64, approval: Bool = false, method: String = "POST") -> Rejection? {
        do {
            _ = try begin(body, approval: approval, method: method)
            return nil
        } catch {
            return error
        }
    }

    private mutating func blocked(_ body: UInt64) throws -> ActionID {
        let events = try begin(body, approval: true)
        return try #require(
            events.compactMap { if case .actionBlocked(let it) = $0 { it.actionID } else { nil } }.first)
    }

    private mutating func pay(_ body: UInt64, approval: Bool = false) throws {
        let events = try begin(body, approval: approval)
        let call = try #require(
            events.compactMap { if case .toolCallStarted(let it) = $0 { it.call } else { nil } }.first)
        try scenario.when(
            .recordToolCall(
                run: run,
                ToolCalled(
                    call: call, outcome: .answered(statusCode: 200), latency: .zero, answerBytes: 0, answer: nil)))
    }

    private mutating func approve(_ action: ActionID, _ body: UInt64) throws {
        try scenario.when(
            .approveAction(run: run, action: action, payloadHash: PayloadHash("sha256:\(body)"), reason: nil))
    }

    private mutating func checkpoint(_ action: ActionID, restartsHandler: Bool = true) throws {
        try scenario.when(
            .saveCheckpoint(
                run: run,
                CheckpointSaved(
                    checkpointID: scenario.newID(), actionID: action.description, document: JSONText(verified: "{}"),
                    restartsHandler: restartsHandler)))
    }

    @Test mutating func aSupersededAttemptPerformsAndChangesNothing() throws {
        try invoke()
        try fail()
        scenario.attemptID = "req-\(run)-1"
        #expect(rejection(1)?.code == .attemptSuperseded, "no attempt is open")
        try invoke()
        #expect(rejection(1)?.code == .attemptSuperseded)
        #expect(rejection(2, method: "GET")?.code == .attemptSuperseded)
        scenario.agent = ActingAgent(name: "payments", isManaged: true)
        let commands: [Command] = [
            .addRunEvents(run: run, [RunEventAdded(type: "NOTE", actor: nil, payloadHash: nil, data: nil)]),
            .saveCheckpoint(
                run: run,
                CheckpointSaved(checkpointID: scenario.newID(), actionID: "a", document: JSONText(verified: "{}"))),
            .recordToolResult(run: run, ToolResultRecorded(toolID: nil, document: JSONText(verified: "{}"))),
            .blockAction(
                run: run,
                BlockAction(actionID: scenario.newID(), toolID: "bank", capability: nil, payloadHash: nil)),
        ]
        let count = scenario.history.count
        for command in commands { #expect(scenario.rejection(command)?.code == .attemptSuperseded) }
        #expect(scenario.history.count == count)
        scenario.attemptID = "req-\(run)-2"
        #expect(scenario.rejection(commands[0]) == nil)
    }

    @Test(arguments: [nil, "req-another-1", "trace-7"])
    mutating func aRequestThatNamesNoAttemptOfTheRunBelongsToTheLiveOne(name: String?) throws {
        try invoke()
        scenario.attemptID = name
        #expect(rejection(1) == nil)
    }

    @Test mutating func aCallInFlightRecordsItsOutcomeAfterItsAttempt() throws {
        try invoke()
        guard case .toolCallStarted(let started)? = try begin(1).first else {
            Issue.record("it was not started")
            return
        }
        try fail()
        try invoke()
        #expect(rejection(1)?.code == .callOnItsWay)
        scenario.attemptID = "req-\(run)-1"
        try scenario.when(
            .recordToolCall(
                run: run,
                ToolCalled(
                    call: started.call, outcome: .answered(statusCode: 200), latency: .zero, answerBytes: 0,
                    answer: nil)))
        scenario.attemptID = nil
        #expect(try begin(1) == [.toolCallReplayed(ToolCallReplayed(callID: started.call.id))])
    }

    @Test mutating func theSameCallWhileItWaitsIsTheSameAction() throws {
        try invoke()
        let action = try blocked(1)
        for _ in 0..<19 {
            let refused = rejection(1, approval: true)
            #expect(refused?.code == .approvalPending && refused?.actionID == action)
        }
        #expect(state?.actions.count == 1)
    }

    @Test mutating func aRunThatWaitsPerformsNothing() throws {
        try invoke()
        try pay(9)
        let (first, second) = (try blocked(1), try blocked(2))
        let allowed = rejection(3)
        #expect(allowed?.code == .approvalPending && allowed?.actionID == first, "the oldest action")
        #expect(try begin(4, method: "GET").isEmpty, "a question is answered")
        try approve(first, 1)
        #expect(rejection(1, approval: true)?.actionID == second, "an approved call waits for the other decision")
        try approve(second, 2)
        try pay(1, approval: true)
        try pay(2, approval: true)
    }

    @Test mutating func aRecordedOutcomeIsReplayedAlsoWhileTheRunWaits() throws {
        try invoke()
        try pay(9)
        try fail()
        try invoke()
        _ = try blocked(1)
        guard case .toolCallReplayed? = try begin(9).first else {
            Issue.record("it was not replayed")
            return
        }
    }

    @Test(arguments: [nil, 500, 403] as [UInt32?])
    mutating func anAttemptThatEndsWhileItWaitsHasNotFailed(statusCode: UInt32?) throws {
        for round in UInt64(1)...12 {
            try invoke()
            for earlier in 1..<round { #expect(rejection(earlier) == nil) }
            let action = try blocked(round)
            try fail(.start, statusCode, isRetryable: statusCode != 403)
            #expect(state?.lastInvoke?.stage == .completed && state?.status == .pausedApproval)
            try approve(action, round)
            #expect(state?.attemptsWithoutProgress == 0 && state?.nextPurpose == .start)
            try invoke()
            for earlier in 1..<round { #expect(rejection(earlier) == nil) }
            try pay(round, approval: true)
            try fail()
        }
    }

    @Test mutating func theRunResumesThroughTheActionThatHasACheckpoint() throws {
        try invoke()
        let (first, second) = (try blocked(1), try blocked(2))
        try checkpoint(second)
        try complete(.start, .awaitingApproval)
        try approve(second, 2)
        #expect(state?.status == .pausedApproval)
        try approve(first, 1)
        #expect(state?.nextPurpose == .resume(second))
        try invoke(.resume(second))
        try pay(1, approval: true)
        try pay(2, approval: true)
        try complete(.resume(second))
        #expect(scenario.timeline.last == "COMPLETED")
    }

    @Test(arguments: [404, 405, 410, 501, 400] as [UInt32])
    mutating func anAgentThatDoesNotKnowItsCheckpointIsBegunAgain(statusCode: UInt32) throws {
        try invoke()
        try pay(7)
        let action = try blocked(1)
        try checkpoint(action, restartsHandler: false)
        try complete(.start, .awaitingApproval)
        try approve(action, 1)
        try invoke(.resume(action))
        try fail(.resume(action), statusCode, isRetryable: false)
        #expect(state?.purpose(afterFailedInvokeThatIs: false) == .start)
        try invoke()
        guard case .toolCallReplayed? = try begin(7).first else {
            Issue.record("the handler starts from the top, and its first call was not replayed")
            return
        }
        try pay(1, approval: true)
        try complete()
        #expect(scenario.timeline.last == "COMPLETED")
    }

    @Test mutating func anAgentThatAnswersWithoutTheApprovedCallIsCalledAgain() throws {
        try invoke()
        let action = try blocked(1)
        try checkpoint(action)
        try complete(.start)
        try approve(action, 1)
        try invoke(.resume(action))
        try complete(.resume(action))
        #expect(state?.nextPurpose == .start && state?.attemptsWithoutProgress == 1, "its checkpoint was tried")
        try invoke()
        try complete()
        #expect(state?.nextPurpose == .start && state?.attemptsWithoutProgress == 2)
        try invoke()
        try pay(1, approval: true)
        try complete()
        #expect(scenario.timeline.last == "COMPLETED")
    }

    @Test mutating func aResumeThatFailsAfterItsCallIsRepeatedAndReplaysIt() throws {
        try invoke()
        let action = try blocked(1)
        try checkpoint(action, restartsHandler: false)
        try complete(.start, .awaitingApproval)
        try approve(action, 1)
        try invoke(.resume(action))
        try pay(1, approval: true)
        try fail(.resume(action))
        #expect(state?.purpose(afterFailedInvokeThatIs: true) == .resume(action))
        try invoke(.resume(action))
        guard case .toolCallReplayed? = try begin(1, approval: true).first else {
            Issue.record("it was not replayed")
            return
        }
    }

    @Test mutating func aHandlerThatStartsAgainIsFreeInItsOrder() throws {
        try invoke()
        let action = try blocked(1)
        try checkpoint(action)
        try complete(.start, .awaitingApproval)
        try approve(action, 1)
        try invoke(.resume(action))
        // The published runtime names the resumed action in each of its calls.
        let events = try begin(2, approval: true, claimed: action)
        #expect(events.contains { if case .actionBlocked = $0 { true } else { false } })
        #expect(state?.action(action)?.status == .approved)
    }

    @Test mutating func aCallThatClaimsAnApprovalForOtherBytesEndsIt() throws {
        try invoke()
        let action = try blocked(1)
        try complete(.start, .awaitingApproval)
        try approve(action, 1)
        try invoke()
        _ = try begin(2, approval: true, claimed: action)
        #expect(state?.action(action)?.status == .failed)
    }
}
