import Domain
import Testing

/// An agent writes to its own runs, within its turns, and names no user but theirs.
@Suite struct ActingAgentTests {
    private static let address = "http://agent.test/"
    private static let own = ActingAgent(name: "payments", isManaged: true)

    private func commands(_ run: RunID, _ scenario: inout Scenario) -> [Command] {
        [
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

    @Test(arguments: [(true, RejectionErrorCode?.some(.notInTurn)), (false, nil)])
    func addsToARunThatItsClientDrivesWhenSluiceDoesNotRunIt(isManaged: Bool, expected: RejectionErrorCode?) throws {
        var scenario = Scenario()
        let run = try scenario.createRun()
        scenario.agent = ActingAgent(name: "payments", isManaged: isManaged)
        #expect(scenario.rejection(commands(run, &scenario)[0])?.code == expected)
    }

    @Test func findsNoRunOfAnotherAgent() throws {
        var scenario = Scenario()
        let run = try scenario.createRun(invokeURL: Self.address)
        try scenario.invoke(run)
        scenario.agent = ActingAgent(name: "other", isManaged: true)
        let checkpoint = CheckpointSaved(
            checkpointID: scenario.newID(), actionID: "x", document: JSONText(verified: "{}"), restartsHandler: false)
        let result = ToolResultRecorded(toolID: nil, document: JSONText(verified: "{}"))
        for command in commands(run, &scenario) + [
            .saveCheckpoint(run: run, checkpoint), .recordToolResult(run: run, result),
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
