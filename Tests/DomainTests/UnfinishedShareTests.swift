import Domain
import Testing

/// What is unfinished has a budget, by workspace and by principal.
@Suite struct UnfinishedShareTests {
    private static let agent = Actor(kind: .apiKey(APIKeyID(UUIDValue(high: 1, low: 1))), name: "agent")
    private static let admin = Actor(kind: .apiKey(APIKeyID(UUIDValue(high: 1, low: 2))), name: "admin")

    @Test func onePrincipalsRunsLeaveRoomForAnothers() throws {
        var scenario = Scenario()
        scenario.settings.limits.activeRunsMax = 8
        scenario.actor = Self.agent
        for _ in 0..<2 { _ = try scenario.createRun() }
        let refused = scenario.rejectionOfRun()
        #expect(refused?.code == .shareExceeded && refused?.message.contains("unfinished runs") == true)
        scenario.actor = Self.admin
        _ = try scenario.createRun()
        scenario.workspace = try #require(WorkspaceName("elsewhere"))
        _ = try scenario.createRun()
    }

    @Test func aWorkspaceLeavesRoomForOthersHoweverManyKeysItHas() throws {
        var scenario = Scenario()
        scenario.settings.limits.activeRunsMax = 8
        for key in UInt64(1)...5 {
            scenario.actor = Actor(kind: .apiKey(APIKeyID(UUIDValue(high: 1, low: key))), name: "agent")
            while scenario.rejectionOfRun() == nil {}
        }
        #expect(scenario.state.runs.count == 4)
        let refused = scenario.rejectionOfRun()
        #expect(refused?.code == .shareExceeded && refused?.message.contains("workspace") == true)
    }

    /// Builds and open requests likewise.
    @Test func onePrincipalLeavesRoomForOthersOfItsWorkspace() throws {
        let commands: [(inout Scenario) -> Command] = [
            { scenario in
                .requestBuild(
                    id: scenario.newID(), BuildRequested(name: "b", image: "i", document: JSONText(verified: "{}")))
            },
            { scenario in
                let id: AccessRequestID = scenario.newID()
                return .requestAccess(
                    RequestAccess(
                        requestID: id, subject: "\(id)", toolID: "bank", agentID: nil, duration: nil, runID: nil,
                        actionID: scenario.newID(), capability: nil, payloadHash: nil, method: nil, url: nil))
            },
        ]
        for command in commands {
            var scenario = Scenario()
            scenario.settings.limits.openBuildsMax = 100
            scenario.settings.limits.openAccessRequestsMax = 100
            scenario.actor = Self.agent
            var taken = 0
            while scenario.rejection(command(&scenario)) == nil { taken += 1 }
            #expect(taken == 25, "half of the half that a workspace may have")
            scenario.actor = Self.admin
            for _ in 0..<10 { #expect(scenario.rejection(command(&scenario)) == nil) }
        }
    }

    @Test func aFinishedRunGivesItsPartBack() throws {
        var scenario = Scenario()
        scenario.settings.limits.activeRunsMax = 2
        scenario.actor = Self.agent
        for _ in 0..<5 {
            let run = try scenario.createRun()
            #expect(scenario.rejectionOfRun()?.code == .shareExceeded)
            try scenario.when(.changeRunStatus(run: run, .completed))
        }
        #expect(scenario.state == ActiveState())
    }

    @Test func bytesOfUnfinishedRunsAreBounded() throws {
        var scenario = Scenario()
        scenario.settings.limits.unfinishedBytesMax = 100_000
        scenario.actor = Self.agent
        var count = 0
        while scenario.rejectionOfRun() == nil { count += 1 }
        #expect((30...50).contains(count))
        #expect(scenario.rejectionOfRun()?.code == .shareExceeded)
        #expect(scenario.state.runs.values.map(\.footprint).reduce(0, +) <= 25_000)
    }

    @Test func aLongMessageIsNotKeptInMemory() throws {
        var scenario = Scenario()
        let id: RunID = scenario.newID()
        try scenario.when(
            .createRun(
                CreateRun(
                    runID: id, agentID: "a", userID: "u", conversationID: nil, invokeURL: "http://a.test/invoke",
                    initialMessage: String(repeating: "x", count: 1_000_000))))
        let run = try #require(scenario.state.runs[id])
        #expect(run.isInputInLog && run.initialMessage == nil && run.footprint < 1_000)
    }
}

extension Scenario {
    fileprivate mutating func rejectionOfRun() -> Rejection? {
        do {
            _ = try createRun()
            return nil
        } catch {
            return error as? Rejection
        }
    }
}
