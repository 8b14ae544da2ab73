import Domain
import Testing

@Suite struct RetentionRulesTests {
    private static func expired(_ run: RunID, _ requests: [AccessRequestID] = []) -> RunExpired {
        RunExpired(runID: run, accessRequestIDs: requests, usage: [RunExpired.Usage(day: 1, runs: 1, toolCalls: 0)])
    }

    @Test func onlyAFinishedRunExpires() throws {
        var scenario = Scenario()
        let run = try scenario.createRun()
        #expect(scenario.rejection(.expireRun(Self.expired(run)))?.code == .invalidTransition)
        try scenario.when(.changeRunStatus(run: run, .completed))
        let before = scenario.state
        let events = try scenario.when(.expireRun(Self.expired(run)))
        #expect(events.map(\.payload) == [.runExpired(Self.expired(run))])
        #expect(events.first?.stream == .expiry(of: run) && events.first?.streamSequence == 1)
        #expect(events.first?.runID == run)
        #expect(scenario.state == before, "nothing is remembered of it")
    }

    @Test func aRunWithAnOpenAccessRequestDoesNotExpire() throws {
        var scenario = Scenario()
        let run = try scenario.createRun()
        let request: AccessRequestID = scenario.newID()
        try scenario.when(
            .requestAccess(
                RequestAccess(
                    requestID: request, subject: "alice", toolID: "stripe", agentID: nil, duration: nil, runID: run,
                    actionID: scenario.newID(), capability: nil, payloadHash: nil, method: nil, url: nil)))
        scenario.actor = Actor(kind: .system, name: "somebody else")
        try scenario.when(.changeRunStatus(run: run, .failed))
        if scenario.state.accessRequests[request] != nil {
            #expect(scenario.rejection(.expireRun(Self.expired(run, [request])))?.code == .invalidTransition)
            try scenario.when(.rejectAccess(request: request, reason: nil))
        }
        try scenario.when(.expireRun(Self.expired(run, [request])))
    }

    /// A log that has lost the end of a run, but not its beginning, tells the writer of no open run.
    @Test func expiryForgetsWhatAPrunedLogHasLeft() throws {
        var scenario = Scenario()
        let run = try scenario.createRun()
        _ = try scenario.block(run)
        let begun = scenario.history
        try scenario.when(.failRun(run: run, reason: "x"))
        try scenario.when(.expireRun(Self.expired(run)))
        var state = ActiveState()
        for event in begun + scenario.history.suffix(1) { state.evolve(event) }
        #expect(state == scenario.state)
    }

    @Test func callsOfModelsAndTheExpiryItselfAreKept() throws {
        var scenario = Scenario()
        let (run, other) = (try scenario.createRun(), try scenario.createRun())
        _ = try scenario.block(run)
        try scenario.when(.failRun(run: run, reason: "x"))
        try scenario.when(.expireRun(Self.expired(run)))
        var streams = ExpiredStreams()
        streams.insert(run, [])
        for event in scenario.history {
            let goes = event.stream == .run(run)
            #expect(streams.includes(event) == goes && (!goes || streams.mayInclude(event.stream)))
        }
        #expect(scenario.history.contains { $0.stream == .run(other) })
    }
}
