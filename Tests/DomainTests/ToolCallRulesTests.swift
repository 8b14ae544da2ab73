import Domain
import Testing

/// What the gate may do with a call: make it, make it once, give its recorded answer, or block it.
@Suite struct ToolCallRulesTests {
    private static let transfers = "https://bank.example.com/transfers"
    private static let requirement = RequiredApproval(
        name: "payments", groups: [], needsEveryGroup: false, duration: nil)

    private var scenario = Scenario()
    private let run: RunID

    init() throws { run = try scenario.createRun(invokeURL: "http://agent/invoke") }

    private mutating func call(
        _ method: String = "POST", body: UInt64 = 1, headers: String? = nil
    ) -> ToolCall {
        ToolCall(
            id: scenario.newID(), toolID: "bank", capability: nil, method: method, url: Self.transfers,
            payloadHash: PayloadHash("sha256:\(body)"), headersHash: headers.map { PayloadHash("sha256:\($0)") },
            fingerprint: UUIDValue(high: UInt64(headers?.utf8.first ?? 0), low: body), isRepeatable: method == "GET")
    }

    private mutating func begin(
        _ call: ToolCall, _ requirement: RequiredApproval? = nil, blocks: Bool = true
    ) throws(Rejection) -> [EventPayload] {
        let block = BlockToolCall(
            actionID: scenario.newID(), requestID: scenario.newID(), reason: "rule 1",
            headers: JSONText(verified: "{}"),
            payload: nil)
        let begin = BeginToolCall(
            call: call, agentID: "payments", tool: .example, requirement: requirement, block: blocks ? block : nil)
        return try scenario.when(.beginToolCall(run: run, begin)).map(\.payload)
    }

    private mutating func finish(_ call: ToolCall, _ outcome: ToolCalled.Outcome = .answered(statusCode: 200)) throws {
        var call = call
        if case .toolCallStarted(let started)? = scenario.history.last?.payload { call = started.call }
        try scenario.when(
            .recordToolCall(
                run: run,
                ToolCalled(call: call, outcome: outcome, latency: .zero, answerBytes: 0, answer: nil)))
    }

    private mutating func invoke(_ purpose: InvokePurpose = .start, attempt: UInt32 = 1) throws {
        try scenario.when(
            .requestInvoke(run: run, InvokeRequested(purpose: purpose, attempt: attempt, requestID: "req")))
    }

    private mutating func complete(_ purpose: InvokePurpose = .start, _ outcome: InvokeOutcome = .finished) throws {
        try scenario.when(
            .completeInvoke(
                run: run,
                InvokeCompleted(purpose: purpose, attempt: 1, statusCode: 200, response: nil, outcome: outcome)))
    }

    private mutating func interrupt(attempt: UInt32 = 1) throws {
        try scenario.when(
            .failInvoke(
                run: run,
                InvokeFailed(purpose: .start, attempt: attempt, statusCode: nil, error: "gone", isRetryable: true)))
    }

    /// Begins a call that is made.
    private mutating func started(_ call: ToolCall) throws -> ToolCall {
        guard case .toolCallStarted(let started)? = try begin(call).first else {
            throw Rejection(.invalidArgument, "it was not started")
        }
        return started.call
    }

    /// Blocks a call, approves it, and has the agent called again.
    private mutating func approved(_ call: ToolCall) throws -> ActionID {
        guard case .actionBlocked(let blocked)? = try begin(call, Self.requirement).dropFirst().first else {
            throw Rejection(.invalidArgument, "it was not blocked")
        }
        try complete(.start, .awaitingApproval)
        try scenario.when(
            .approveAction(run: run, action: blocked.actionID, payloadHash: blocked.payloadHash, reason: nil))
        try invoke(.resume(blocked.actionID))
        return blocked.actionID
    }

    private mutating func saveCheckpoint(restartsHandler: Bool) throws {
        try scenario.when(
            .saveCheckpoint(
                run: run,
                CheckpointSaved(
                    checkpointID: scenario.newID(), actionID: "a", document: JSONText(verified: "{}"),
                    restartsHandler: restartsHandler)))
    }

    private func status(_ action: ActionID) -> ActionStatus? { scenario.state.runs[run]?.action(action)?.status }

    @Test mutating func aCallThatMayBeRepeatedNeedsNoEventBeforeIt() throws {
        try invoke()
        #expect(try begin(call("GET")).isEmpty)
    }

    @Test mutating func aCallThatMayNotBeRepeatedIsRecordedBeforeItIsMade() throws {
        try invoke()
        let call = call()
        #expect(try started(call).id == call.id)
        #expect(scenario.state.runs[run]?.calls.open.map(\.id) == [call.id])
    }

    @Test mutating func aCallLikeOneOnItsWayWaitsForItsEnd() throws {
        try invoke()
        let first = call()
        _ = try begin(first)
        try interrupt()
        try invoke(attempt: 2)
        let repeated = BeginToolCall(call: call(), agentID: "payments", tool: .example, requirement: nil)
        #expect(scenario.rejection(.beginToolCall(run: run, repeated))?.code == .callOnItsWay)
        #expect(try begin(call(body: 2)).count == 1, "another body is another call")
        try scenario.when(
            .recordToolCall(
                run: run,
                ToolCalled(
                    call: first, outcome: .answered(statusCode: 200), latency: .zero, answerBytes: 0, answer: nil)))
        #expect(try begin(call()) == [.toolCallReplayed(ToolCallReplayed(callID: first.id))])
    }

    @Test mutating func anotherAgentsRunIsNotToBeCalledFor() throws {
        try invoke()
        let begin = BeginToolCall(call: call(), agentID: "other", tool: .example, requirement: nil)
        #expect(scenario.rejection(.beginToolCall(run: run, begin))?.code == .agentMismatch)
    }

    @Test mutating func aCallThatNeedsAnApprovalPausesItsRunOnceItIsKnownWhatToShow() throws {
        try invoke()
        let call = call()
        #expect(throws: Rejection(.approvalRequired, "the call needs an approval")) {
            try begin(call, Self.requirement, blocks: false)
        }
        #expect(scenario.state.runs[run]?.status == .running)
        let events = try begin(call, Self.requirement)
        guard case .accessRequested(let requested)? = events.first, case .actionBlocked(let blocked)? = events.last
        else {
            Issue.record("\(events)")
            return
        }
        #expect(requested.subject == "alice" && requested.agentID == "payments" && requested.url == Self.transfers)
        #expect(blocked.payloadHash == call.payloadHash && blocked.call?.reason == "rule 1")
        #expect(scenario.state.runs[run]?.status == .pausedApproval)
    }

    @Test mutating func theApprovedBytesRunOnceAndTheirActionIsExecuted() throws {
        try invoke()
        let action = try approved(call())
        let retried = call()
        guard case .toolCallStarted(let started)? = try begin(retried, Self.requirement).first else {
            Issue.record("it did not start")
            return
        }
        #expect(started.call.actionID == action)
        try finish(retried)
        #expect(status(action) == .executed)
        let again = try begin(call(), Self.requirement)
        #expect(again.contains { if case .actionBlocked = $0 { true } else { false } })
    }

    @Test mutating func otherBytesThanTheApprovedOnesEndTheApproval() throws {
        try invoke()
        let action = try approved(call())
        let other = call(body: 2)
        let events = try begin(other, Self.requirement)
        #expect(
            events.first
                == .payloadMismatched(
                    PayloadMismatched(
                        actionID: action, approved: PayloadHash("sha256:1"), presented: PayloadHash("sha256:2"))))
        #expect(status(action) == .failed)
        #expect(!events.contains { if case .toolCallStarted = $0 { true } else { false } })
    }

    @Test mutating func otherHeadersThanTheApprovedOnesEndTheApproval() throws {
        try invoke()
        let action = try approved(call(headers: "a"))
        let events = try begin(call(headers: "b"), Self.requirement)
        #expect(
            events.first
                == .payloadMismatched(
                    PayloadMismatched(
                        actionID: action, approved: PayloadHash("sha256:1"), presented: PayloadHash("sha256:1"),
                        headers: .init(approved: PayloadHash("sha256:a"), presented: PayloadHash("sha256:b")))))
        #expect(
            events.last
                == .actionFailed(
                    ActionFailed(actionID: action, reason: "the call came with other headers than were approved")))
        #expect(status(action) == .failed)
    }

    @Test mutating func aCallWithoutADigestOfItsHeadersIsNotTheApprovedOne() throws {
        try invoke()
        let action = try approved(call(headers: "a"))
        let events = try begin(call(), Self.requirement)
        #expect(!events.contains { if case .toolCallStarted = $0 { true } else { false } })
        #expect(status(action) == .failed)
    }

    @Test mutating func ofTwoApprovalsTheOneForTheCallsHeadersIsUsed() throws {
        try invoke()
        var actions: [ActionID] = []
        for headers in ["a", "b"] {
            guard case .actionBlocked(let blocked)? = try begin(call(headers: headers), Self.requirement).last else {
                Issue.record("it was not blocked")
                return
            }
            actions.append(blocked.actionID)
        }
        for action in actions {
            try scenario.when(
                .approveAction(run: run, action: action, payloadHash: PayloadHash("sha256:1"), reason: nil))
        }
        guard case .toolCallStarted(let started)? = try begin(call(headers: "b"), Self.requirement).first else {
            Issue.record("it did not start")
            return
        }
        #expect(started.call.actionID == actions[1] && status(actions[0]) == .approved)
    }

    @Test mutating func anApprovalFromBeforeHeadersWereBoundIsForAny() throws {
        try invoke()
        let action = try approved(call())
        guard case .toolCallStarted(let started)? = try begin(call(headers: "b"), Self.requirement).first else {
            Issue.record("it did not start")
            return
        }
        #expect(started.call.actionID == action)
    }

    @Test func aCallRecordedBeforeHeadersWereBoundIsStillTheSameCall() {
        let (earlier, current) = (UUIDValue(high: 0, low: 1), UUIDValue(high: 0, low: 2))
        func journal(_ fingerprints: UUIDValue...) -> ToolCallJournal {
            let entries = fingerprints.map { fingerprint in
                ToolCallJournal.Entry(
                    id: ToolCallID(fingerprint), fingerprint: fingerprint, stage: .answered, attempt: 1)
            }
            return ToolCallJournal(entries: entries, turn: 1, attempt: 2, restartsHandler: false)
        }
        #expect(journal(earlier).fingerprint(current, earlier: [current, earlier]) == earlier)
        #expect(journal().fingerprint(current, earlier: [earlier]) == current)
        #expect(journal(current, earlier).fingerprint(current, earlier: [earlier]) == current)
    }

    @Test mutating func aBlockedCallSaysWhichHeadersItIsFor() throws {
        try invoke()
        let events = try begin(call(headers: "a"), Self.requirement)
        guard case .accessRequested(let requested)? = events.first, case .actionBlocked(let blocked)? = events.last
        else {
            Issue.record("\(events)")
            return
        }
        #expect(requested.headersHash == PayloadHash("sha256:a"))
        #expect(blocked.call?.headersHash == PayloadHash("sha256:a"))
        #expect(scenario.state.runs[run]?.action(blocked.actionID)?.gate?.headersHash == PayloadHash("sha256:a"))
        let (byRequest, byAction) = (
            DecisionStatement(requested, scenario.newID(), in: .default),
            DecisionStatement(blocked, of: run, in: .default)
        )
        #expect(byRequest == byAction)
        #expect(byAction.text(.approve, grant: nil).contains("\nheaders-hash: sha256:a\n"))
    }

    @Test mutating func aHandlerThatBeginsAnewGetsTheAnswersOfItsEarlierCalls() throws {
        try invoke()
        let (first, twice) = (call(body: 5), call(body: 5))
        for call in [first, twice] {
            _ = try begin(call)
            try finish(call)
        }
        try saveCheckpoint(restartsHandler: true)
        _ = try approved(call())
        for earlier in [first, twice] {
            #expect(
                try begin(call(body: 5)) == [.toolCallReplayed(ToolCallReplayed(callID: earlier.id))])
        }
        #expect(try started(call(body: 5)).occurrence == 3)
    }

    @Test mutating func aLoopThatGoesOnMakesTheSameCallAnew() throws {
        try invoke()
        let first = call(body: 5)
        _ = try begin(first)
        try finish(first)
        try saveCheckpoint(restartsHandler: false)
        _ = try approved(call())
        #expect(try started(call(body: 5)).occurrence == 2)
    }

    @Test mutating func anAttemptThatIsTriedAgainGetsTheAnswersOfTheLastOne() throws {
        try invoke()
        let first = call()
        _ = try begin(first)
        try finish(first)
        try interrupt()
        try invoke(attempt: 2)
        #expect(try begin(call()) == [.toolCallReplayed(ToolCallReplayed(callID: first.id))])
    }

    @Test mutating func aCallOfUnknownOutcomeIsMadeAgainOnlyWhenAPersonSaysSo() throws {
        try invoke()
        let first = call()
        _ = try begin(first)
        try finish(first, .unknown(error: "interrupted"))
        try interrupt()
        try invoke(attempt: 2)
        guard case .actionBlocked(let blocked)? = try begin(call()).last else {
            Issue.record("it was not blocked")
            return
        }
        #expect(blocked.call?.reason.contains("nobody knows") == true)
        try scenario.when(
            .approveAction(run: run, action: blocked.actionID, payloadHash: blocked.payloadHash, reason: nil))
        guard case .toolCallStarted(let started)? = try begin(call()).first else {
            Issue.record("it did not start")
            return
        }
        #expect(started.call.actionID == blocked.actionID)
    }

    @Test mutating func anApprovedCallOfUnknownOutcomeIsNotMadeAgainUnderTheSameApproval() throws {
        try invoke()
        let action = try approved(call())
        let retried = call()
        _ = try begin(retried, Self.requirement)
        try finish(retried, .unknown(error: "interrupted"))
        #expect(status(action) == .approved)
        let events = try begin(call(), Self.requirement)
        #expect(events.contains { if case .actionBlocked = $0 { true } else { false } })
        #expect(!events.contains { if case .toolCallStarted = $0 { true } else { false } })
        #expect(status(action) == .failed)
    }

    @Test mutating func anApprovalOutlastsAToolThatWasNotReached() throws {
        try invoke()
        let action = try approved(call())
        let retried = call()
        _ = try begin(retried, Self.requirement)
        try finish(retried, .unreached(statusCode: 502, error: "refused"))
        #expect(status(action) == .approved)
        #expect(try begin(call(), Self.requirement).count == 1)
    }

    @Test mutating func aTurnThatEndsWithoutTheApprovedCallDoesNotFinishTheRun() throws {
        try invoke()
        let action = try approved(call())
        try complete(.resume(action))
        #expect(scenario.state.runs[run]?.status == .running && status(action) == .approved)
        #expect(scenario.state.runs[run]?.nextPurpose == .start)
        #expect(!scenario.history.contains { $0.payload == .actionExecuted(ActionExecuted(actionID: action)) })
    }

    @Test(arguments: [AccessScope.run, .agentUserTTL]) mutating func aWiderGrantLetsTheNextCallThrough(
        scope: AccessScope
    ) throws {
        try invoke()
        guard case .accessRequested? = try begin(call(), Self.requirement).first,
            let request = scenario.state.accessRequests.values.first
        else {
            Issue.record("it was not blocked")
            return
        }
        try scenario.when(
            .approveAccess(
                ApproveAccess(
                    requestID: request.id, scope: scope, duration: .seconds(60), reason: nil, payloadHash: nil)))
        let (first, other) = (call(), call(body: 2))
        _ = try begin(first, Self.requirement)
        try finish(first)
        guard case .toolCallStarted(let started)? = try begin(other, Self.requirement).first else {
            Issue.record("it did not start")
            return
        }
        #expect(started.call.grantID == request.id)
        scenario.advance(.seconds(61))
        #expect(
            try begin(call(body: 3), Self.requirement).contains { if case .actionBlocked = $0 { true } else { false } })
    }

    @Test mutating func noCallIsMadeForARunBetweenItsTurns() throws {
        try invoke()
        _ = try begin(call(), Self.requirement)
        _ = try begin(call(body: 2), Self.requirement)
        #expect(try begin(call("GET", body: 3)).isEmpty, "the turn goes on")
        try complete(.start, .awaitingApproval)
        let begin = BeginToolCall(call: call("GET", body: 4), agentID: "payments", tool: .example, requirement: nil)
        #expect(scenario.rejection(.beginToolCall(run: run, begin))?.code == .attemptSuperseded)
    }
}
