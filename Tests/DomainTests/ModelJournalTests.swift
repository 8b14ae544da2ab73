import Domain
import TestSupport
import Testing

/// Recorded model responses: each goes to one call of a later attempt, in the order of recording.
@Suite struct ModelJournalTests {
    private var scenario = Scenario()
    private let run: RunID

    init() throws { run = try scenario.createRun(invokeURL: "http://agent/invoke") }

    private var state: RunState { get throws { try #require(scenario.state.runs[run]) } }

    private mutating func attempt(_ number: UInt32) throws {
        if number > 1 {
            try scenario.when(
                .failInvoke(
                    run: run,
                    InvokeFailed(
                        purpose: .start, attempt: number - 1, statusCode: nil, error: "gone", isRetryable: true)))
        }
        try scenario.when(
            .requestInvoke(
                run: run,
                InvokeRequested(purpose: .start, attempt: number, requestID: "req-\(run)-\(number)")))
    }

    private func command(_ identity: UInt64?, request: String? = nil, agent: String = "payments") -> Command {
        .takeModelCall(
            run: run,
            TakeModelCall(
                agentID: agent, identity: identity.map { UUIDValue(high: 0, low: $0) }, requestID: request))
    }

    /// The recorded call that answers; `nil` when the model is to be asked.
    private mutating func take(_ identity: UInt64) throws -> ModelCallReplayed? {
        let events = try scenario.when(command(identity)).map(\.payload)
        #expect(events.count <= 1)
        for case .modelCallReplayed(let replayed) in events { return replayed }
        return nil
    }

    @discardableResult
    private mutating func record(
        _ identity: UInt64, as id: ModelCallID? = nil, attempt: UInt32? = nil, answer: [UInt8]? = [1]
    ) throws -> ModelCallID {
        let id = id ?? scenario.newID()
        let answer = ModelAnswer(
            callID: id, identity: UUIDValue(high: 0, low: identity), attempt: try attempt ?? state.calls.attempt,
            sealed: answer)
        try scenario.when(.recordModelCall(run: run, Self.called, answer))
        return id
    }

    private static let called = ModelCalled(
        provider: "openai", providerKind: "openai", model: "m", role: nil, operation: "chat/completions",
        agentID: "payments", userID: "alice", isStreamed: false, outcome: .answered(statusCode: 200), usage: nil,
        isEstimated: false, latency: .zero, timeToFirstByte: nil, price: nil, cost: nil, isNearBudget: false)

    @Test mutating func aLaterAttemptGetsTheRecordedResponseOnce() throws {
        try attempt(1)
        #expect(try take(1) == nil)
        let first = try record(1)
        #expect(try take(1) == nil, "two calls of one attempt are two calls")
        try attempt(2)
        #expect(try take(1) == ModelCallReplayed(callID: first, isAskedAgain: false))
        #expect(try take(1) == nil)
        try attempt(3)
        #expect(try take(1)?.callID == first)
    }

    @Test mutating func identicalCallsGetTheirResponsesInOrder() throws {
        try attempt(1)
        let ids = [try record(1), try record(1), try record(2)]
        try attempt(2)
        #expect([try take(2)?.callID, try take(1)?.callID, try take(1)?.callID] == [ids[2], ids[0], ids[1]])
        #expect(try take(1) == nil)
        let additional = try record(1)
        try attempt(3)
        #expect(try [take(1), take(1), take(1)].map { $0?.callID } == [ids[0], ids[1], additional])
    }

    @Test mutating func aResponseThatWasNotKeptHasItsPlaceInTheOrder() throws {
        try attempt(1)
        let large = try record(1, answer: nil)
        let second = try record(1)
        try attempt(2)
        #expect(try take(1) == ModelCallReplayed(callID: large, isAskedAgain: true))
        try record(1, as: large)
        #expect(try take(1)?.callID == second)
        try attempt(3)
        #expect(try take(1) == ModelCallReplayed(callID: large, isAskedAgain: false))
        #expect(try state.modelCalls.entries.count == 2 && state.modelCalls.answerBytes == 2)
    }

    @Test mutating func aResponseToASupersededAttemptIsNotRecorded() throws {
        try attempt(1)
        try attempt(2)
        try record(1, attempt: 1)
        #expect(try state.modelCalls.entries.isEmpty)
        guard case .modelCalled(let called)? = scenario.history.last?.payload else {
            Issue.record("the call itself counts")
            return
        }
        #expect(called.callID == nil)
    }

    @Test mutating func anotherTurnIsAskedAgainUnlessTheHandlerRestarts() throws {
        for restarts in [false, true] {
            var test = try ModelJournalTests()
            try test.attempt(1)
            let first = try test.record(1)
            let action = try test.scenario.block(test.run)
            try test.scenario.when(
                .saveCheckpoint(
                    run: test.run,
                    CheckpointSaved(
                        checkpointID: test.scenario.newID(), actionID: "\(action)",
                        document: JSONText(verified: "{}"), restartsHandler: restarts)))
            #expect(try test.take(1) == nil, "a run that waits still calls models")
            try test.scenario.when(
                .completeInvoke(
                    run: test.run,
                    InvokeCompleted(
                        purpose: .start, attempt: 1, statusCode: 200, response: nil, outcome: .awaitingApproval)))
            try test.scenario.when(
                .approveAction(
                    run: test.run, action: action,
                    payloadHash: PayloadHash("sha256:" + String(repeating: "ab", count: 32)), reason: nil))
            try test.scenario.when(
                .requestInvoke(
                    run: test.run,
                    InvokeRequested(purpose: .resume(action), attempt: 1, requestID: "req-\(test.run)-2")))
            #expect(try test.take(1)?.callID == (restarts ? first : nil))
        }
    }

    @Test mutating func aSupersededAttemptMayNotCallModels() throws {
        #expect(scenario.rejection(command(1))?.code == .attemptSuperseded, "no attempt is live yet")
        try attempt(1)
        for id in [nil, "", "req-1", "mine", "req-\(run)-1"] {
            #expect(scenario.rejection(command(1, request: id)) == nil, "\(id ?? "none")")
        }
        try attempt(2)
        #expect(scenario.rejection(command(1, request: "req-\(run)-1"))?.code == .attemptSuperseded)
        #expect(scenario.rejection(command(nil, request: "req-\(run)-1"))?.code == .attemptSuperseded)
        #expect(scenario.rejection(command(1, agent: "another"))?.code == .agentMismatch)
    }

    @Test mutating func aRunOfTheClientRecordsNoResponses() throws {
        let own = try scenario.createRun()
        let answer = ModelAnswer(
            callID: scenario.newID(), identity: UUIDValue(high: 0, low: 1), attempt: 0, sealed: [1])
        try scenario.when(.recordModelCall(run: own, Self.called, answer))
        #expect(scenario.state.runs[own]?.modelCalls.entries.isEmpty == true)
    }

    @Test mutating func aFullJournalRefusesNewCallsAndReplaysOldOnes() throws {
        scenario.settings.limits.modelCallsPerRunMax = 1
        try attempt(1)
        let first = try record(1)
        let refusal = scenario.rejection(command(2))
        #expect(refusal?.code == .journalFull && refusal?.message.contains("llm_configs") == true)
        scenario.settings.limits.modelCallsPerRunMax = 2
        scenario.settings.limits.modelAnswerBytesPerRunMax = 1
        #expect(scenario.rejection(command(2))?.code == .journalFull)
        try attempt(2)
        #expect(try take(1)?.callID == first)
    }

    @Test mutating func aResponseExpiresWithItsRunAndItsCostStays() throws {
        try attempt(1)
        try record(1)
        var expired = ExpiredStreams()
        expired.insert(run, [])
        let kept = scenario.history.suffix(2).map { !expired.includes($0) }
        #expect(kept == [true, false])
    }

    @Test mutating func recordedCallsCountAsTheRunsMemory() throws {
        try attempt(1)
        let before = try state.footprint
        try record(1)
        #expect(try state.footprint - before == 256)
    }

    @Test mutating func theTimelineShowsReplaysAndNoResponses() throws {
        try attempt(1)
        try record(1)
        try record(2, answer: nil)
        try attempt(2)
        let before = scenario.timeline.count
        _ = try take(1)
        _ = try take(2)
        #expect(Array(scenario.timeline[before...]) == ["LLM_CALL"])
        #expect(scenario.timeline.count { $0 == "LLM_CALL" } == 3)
    }

    /// Random handlers: in any interleaving each attempt gets every recorded response of an identity once, in order.
    @Test func everyAttemptGetsEachRecordOnceInAnyInterleaving() throws {
        for seed in 1...60 as ClosedRange<UInt64> {
            var random = SeededRandom(seed: seed)
            var test = try ModelJournalTests()
            var recorded: [UInt64: [ModelCallID]] = [:]
            for attempt in 1...6 as ClosedRange<UInt32> {
                try test.attempt(attempt)
                var counts: [UInt64: Int] = [:]
                for _ in 0..<Int.random(in: 0...20, using: &random) {
                    let identity = UInt64.random(in: 1...3, using: &random)
                    let count = counts[identity, default: 0]
                    let known = recorded[identity, default: []]
                    let taken = try test.take(identity)
                    try #require(taken?.callID == (count < known.count ? known[count] : nil), "seed \(seed)")
                    // A call whose attempt dies before its answer leaves no record.
                    if taken == nil {
                        guard random.chance(80) else { continue }
                        recorded[identity, default: []].append(try test.record(identity))
                    }
                    counts[identity] = count + 1
                }
            }
        }
    }
}
