import Domain
import Testing

@Suite struct RunRulesTests {
    private let hash = "sha256:" + String(repeating: "ab", count: 32)

    @Test func clientDrivenLifecycleShowsTheDocumentedTimelineAndNoMore() throws {
        var scenario = Scenario()
        let run = try scenario.createRun()
        for type in ["USER_MESSAGE", "TOOL_REQUEST"] {
            try scenario.when(
                .addRunEvents(run: run, [RunEventAdded(type: type, actor: nil, payloadHash: nil, data: nil)]))
        }
        let action = try scenario.block(run)
        #expect(scenario.state.runs[run]?.status == .pausedApproval)
        try scenario.when(
            .approveAction(run: run, action: action, payloadHash: PayloadHash(hash.uppercased()), reason: nil))
        #expect(scenario.state.runs[run]?.status == .running)
        try scenario.when(.changeRunStatus(run: run, .completed))
        #expect(scenario.timeline == ["USER_MESSAGE", "TOOL_REQUEST", "APPROVAL_REQUIRED", "APPROVED"])
        #expect(scenario.history.compactMap(\.timeline?.sequence) == [1, 2, 3, 4])
        #expect(scenario.history.map(\.streamSequence) == Array(1...UInt64(scenario.history.count)))
    }

    @Test func finishedRunLeavesMemoryAndRefusesEveryCommand() throws {
        var scenario = Scenario()
        let run = try scenario.createRun()
        try scenario.when(.changeRunStatus(run: run, .completed))
        #expect(scenario.state.runs.isEmpty)
        #expect(scenario.rejection(.changeRunStatus(run: run, .failed))?.code == .runNotActive)
        #expect(scenario.rejection(.failRun(run: run, reason: "cancelled"))?.code == .runNotActive)
    }

    @Test(arguments: RunStatus.allCases, RunStatus.allCases)
    func transitionsFollowTheTable(from: RunStatus, to: RunStatus) {
        let allowed: [RunStatus: Set<RunStatus>] = [
            .running: [.pausedApproval, .pausedConsent, .completed, .failed],
            .pausedApproval: [.running, .failed], .pausedConsent: [.running, .failed],
        ]
        #expect(from.canBecome(to) == (allowed[from]?.contains(to) ?? false))
    }

    @Test func clientCannotUnpauseARunWhoseActionIsBlocked() throws {
        var scenario = Scenario()
        let run = try scenario.createRun()
        _ = try scenario.block(run)
        #expect(scenario.rejection(.changeRunStatus(run: run, .running))?.code == .invalidTransition)
    }

    @Test func runThatItsClientPausedMayBeSetRunningAgain() throws {
        var scenario = Scenario()
        let run = try scenario.createRun()
        try scenario.when(.changeRunStatus(run: run, .pausedApproval))
        try scenario.when(.changeRunStatus(run: run, .running))
        #expect(scenario.state.runs[run]?.status == .running)
    }

    @Test(arguments: [
        "APPROVED", "APPROVAL_GRANTED", "APPROVAL_X", "CONSENT_X", "COMPLETED", "RUN_CREATED", "INVOKE_FAILED",
    ])
    func clientCannotWriteAGovernanceFact(type: String) throws {
        var scenario = Scenario()
        let run = try scenario.createRun()
        let added = RunEventAdded(type: type, actor: nil, payloadHash: nil, data: nil)
        #expect(scenario.rejection(.addRunEvents(run: run, [added]))?.code == .invalidArgument)
    }

    @Test func manyEventsAreAddedInTheirOrderOrNoneOfThem() throws {
        var scenario = Scenario()
        let run = try scenario.createRun()
        func added(_ types: [String]) -> [RunEventAdded] {
            types.map { RunEventAdded(type: $0, actor: nil, payloadHash: nil, data: nil) }
        }
        let events = try scenario.when(.addRunEvents(run: run, added(["A", "B", "C"])))
        #expect(events.map(\.timelineType) == ["A", "B", "C"])
        #expect(events.map { $0.timeline?.sequence } == [1, 2, 3] && events.map(\.causation.index) == [0, 1, 2])
        let refused = scenario.rejection(.addRunEvents(run: run, added(["A", "APPROVED", "C"])))
        #expect(refused?.code == .invalidArgument && refused?.message.hasPrefix("event 2 of 3: ") == true)
        for count in [0, Limits().eventsPerCommandMax + 1] {
            let many = added(Array(repeating: "A", count: count))
            #expect(scenario.rejection(.addRunEvents(run: run, many))?.code == .invalidArgument)
        }
    }

    @Test func anotherWorkspaceSeesNoRun() throws {
        var scenario = Scenario()
        let run = try scenario.createRun()
        scenario.workspace = try #require(WorkspaceName("other"))
        #expect(scenario.rejection(.changeRunStatus(run: run, .completed))?.code == .runNotActive)
    }

    @Test func unfinishedRunsAreBounded() throws {
        var scenario = Scenario()
        scenario.settings.limits.activeRunsMax = 1
        let run = try scenario.createRun()
        #expect(throws: Rejection.self) { try scenario.createRun() }
        try scenario.when(.changeRunStatus(run: run, .completed))
        _ = try scenario.createRun()
    }

    @Test func failingARunClosesWhatStillWaits() throws {
        var scenario = Scenario()
        let run = try scenario.createRun()
        let action = try scenario.block(run)
        try scenario.when(.failRun(run: run, reason: "cancelled"))
        #expect(
            scenario.history.contains {
                $0.payload == .actionFailed(ActionFailed(actionID: action, reason: "run failed: cancelled"))
            })
        #expect(
            scenario.history.last?.payload == .runStatusChanged(RunStatusChanged(status: .failed, reason: "cancelled")))
    }
}
