import Domain
import Testing

/// An agent writes to its own runs, within its turns, and names no user but theirs.
@Suite struct ActingAgentTests {
    private static let address = "http://agent.test/"
    private static let own = ActingAgent(name: "payments", isManaged: true)

    /// Every effect of an agent on a run.
    private func commands(_ run: RunID, _ scenario: inout Scenario) -> [Command] {
        let call = ToolCall(
            id: scenario.newID(), toolID: "bank", capability: nil, method: "POST", url: "https://bank/pay",
            payloadHash: PayloadHash("sha256:1"), fingerprint: UUIDValue(high: 1, low: 1), isRepeatable: false)
        let checkpoint = CheckpointSaved(
            checkpointID: scenario.newID(), actionID: "x", document: JSONText(verified: "{}"), restartsHandler: false)
        let refused = ToolCallRefused(
            toolID: "bank", method: "GET", url: "/", payloadHash: PayloadHash("sha256:1"), reason: "denied")
        return [
            .saveCheckpoint(run: run, checkpoint),
            .recordToolResult(run: run, ToolResultRecorded(toolID: nil, document: JSONText(verified: "{}"))),
            .recordRefusedCall(run: run, refused),
            .beginToolCall(
                run: run, BeginToolCall(call: call, agentID: "payments", tool: .example, requirement: nil, block: nil)),
            .requireConsent(
                run: run, RequireConsent(actionID: scenario.newID(), toolID: "mail", agentID: "payments")),
            .addRunEvents(run: run, [RunEventAdded(type: "NOTE", actor: nil, payloadHash: nil, data: nil)]),
            .requestAccess(scenario.access(run: run)),
            .blockAction(
                run: run,
                BlockAction(
                    actionID: scenario.newID(), toolID: "bank", capability: nil, payloadHash: nil, method: nil, url: nil
                )),
        ]
    }

    @Test func addsToARunOnlyWithinATurnOfIt() throws {
        var scenario = Scenario()
        let run = try scenario.createRun(invokeURL: Self.address)
        scenario.agent = Self.own
        for command in commands(run, &scenario) { #expect(scenario.rejection(command)?.code == .attemptSuperseded) }
        scenario.agent = nil
        try scenario.invoke(run)
        scenario.agent = Self.own
        for command in commands(run, &scenario) { #expect(scenario.rejection(command)?.code != .attemptSuperseded) }
        #expect(scenario.timeline.contains("NOTE") && scenario.state.runs[run]?.hasBlockedAction == true)
    }

    @Test func actsOnARunThatItsClientDrivesWhenSluiceDoesNotRunIt() throws {
        var scenario = Scenario()
        let run = try scenario.createRun()
        for (isManaged, expected) in [(true, RejectionErrorCode?.some(.notInTurn)), (false, nil)] {
            scenario.agent = ActingAgent(name: "payments", isManaged: isManaged)
            for command in commands(run, &scenario).dropLast(isManaged ? 0 : 2) {
                #expect(scenario.rejection(command)?.code == expected, "\(command)")
            }
        }
    }

    @Test func actsOnNoRunThatAnotherProcessOfItIsCalledFor() throws {
        var scenario = Scenario()
        let (run, other) = (
            try scenario.createRun(invokeURL: Self.address), try scenario.createRun(invokeURL: Self.address)
        )
        try scenario.invoke(run)
        try scenario.invoke(other)
        scenario.agent = ActingAgent(name: "payments", isManaged: true, turns: [other])
        for command in commands(run, &scenario) { #expect(scenario.rejection(command)?.code == .notInTurn) }
        for command in commands(other, &scenario) { #expect(scenario.rejection(command)?.code != .notInTurn) }
    }

    @Test func addsNothingToARunThatIsFull() throws {
        var scenario = Scenario()
        scenario.settings.limits.recordedBytesPerRunMax = 2000
        let run = try scenario.createRun(invokeURL: Self.address)
        try scenario.invoke(run)
        scenario.agent = Self.own
        let text = JSONText(verified: #"{"text":"\#(String(repeating: "x", count: 2000))"}"#)
        try scenario.when(
            .addRunEvents(run: run, [RunEventAdded(type: "NOTE", actor: nil, payloadHash: nil, data: text)]))
        for command in commands(run, &scenario) { #expect(scenario.rejection(command)?.code == .runFull, "\(command)") }
        scenario.agent = nil
        #expect(scenario.rejection(commands(run, &scenario)[0])?.code == .runFull, "a client's addition counts, too")
        try scenario.when(.failRun(run: run, reason: "full"))
    }

    @Test func actsOnNoRunOfAnEarlierAgentOfItsName() throws {
        var scenario = Scenario()
        try scenario.deploy()
        let (run, driven) = (try scenario.createRun(), try scenario.createRun(invokeURL: Self.address))
        try scenario.invoke(driven)
        try scenario.deploy()
        scenario.agent = ActingAgent(name: "payments", isManaged: false)
        #expect(scenario.rejection(commands(run, &scenario)[0]) == nil, "a new version of it is the same agent")
        scenario.agent = nil
        try scenario.when(.deleteResource(kind: .agent, name: "payments"))
        for isDeployedAgain in [false, true] {
            scenario.agent = nil
            if isDeployedAgain { try scenario.deploy() }
            for agent in [ActingAgent(name: "payments", isManaged: false), ActingAgent(name: nil, isManaged: false)] {
                scenario.agent = agent
                for command in commands(run, &scenario) + commands(driven, &scenario) {
                    #expect(scenario.rejection(command)?.code == .agentMismatch, "\(command)")
                }
            }
        }
    }

    @Test func findsNoRunOfAnotherAgent() throws {
        var scenario = Scenario()
        let run = try scenario.createRun(invokeURL: Self.address)
        try scenario.invoke(run)
        scenario.agent = ActingAgent(name: "other", isManaged: true)
        for command in commands(run, &scenario) + [
            .failRun(run: run, reason: "mine now"), .changeRunStatus(run: run, .completed),
        ] {
            #expect(scenario.rejection(command)?.code == .runNotActive)
        }
        scenario.agent = ActingAgent(name: nil, isManaged: false)
        #expect(scenario.rejection(commands(run, &scenario)[0]) == nil, "a key for any agent speaks for this one")
    }

    @Test(arguments: ["bob", "ALICE", "alice ", "al\u{0069}ce\u{0301}"])
    func asksForAccessForTheRunsUserAlone(subject: String) throws {
        var scenario = Scenario()
        let run = try scenario.createRun(invokeURL: Self.address)
        try scenario.invoke(run)
        scenario.agent = Self.own
        #expect(scenario.rejection(.requestAccess(scenario.access(subject, run: run)))?.code == .foreignSubject)
        #expect(scenario.rejection(.requestAccess(scenario.access(run: nil)))?.code == .foreignSubject)
        #expect(scenario.rejection(.requestAccess(scenario.access(run: run, agent: "other")))?.code == .agentMismatch)
        #expect(scenario.history.allSatisfy { if case .accessRequested = $0.payload { false } else { true } })
        #expect(scenario.rejection(.requestAccess(scenario.access(run: run))) == nil)
    }

    @Test func otherRolesNameAnySubject() throws {
        var scenario = Scenario()
        #expect(scenario.rejection(.requestAccess(scenario.access("bob", run: nil, agent: "other"))) == nil)
    }
}

extension Scenario {
    fileprivate mutating func access(_ subject: String = "alice", run: RunID?, agent: String? = nil) -> RequestAccess {
        RequestAccess(
            requestID: newID(), subject: subject, toolID: "bank", agentID: agent, duration: nil, runID: run,
            actionID: newID(), capability: nil, payloadHash: nil, method: nil, url: nil)
    }

    fileprivate mutating func invoke(_ run: RunID) throws {
        try when(.requestInvoke(run: run, InvokeRequested(purpose: .start, attempt: 1, requestID: "r-1")))
    }
}
