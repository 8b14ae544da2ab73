import Domain
import Testing

struct IngestionRulesTests {
    private static let requested = BuildRequested(
        name: "helper", image: "sluice/helper:00", document: JSONText(verified: #"{"source_files":{"a.py":""}}"#))

    @Test func anAnalysisIsShownForAnHourFromItsRecording() throws {
        var scenario = Scenario()
        let events = try scenario.when(
            .recordAnalysis(id: scenario.newID(), document: JSONText(verified: "{}")))
        guard case .sourcesAnalyzed(let analyzed)? = events.first?.payload, let time = events.first?.time else {
            Issue.record("no analysis was recorded")
            return
        }
        #expect(analyzed.expiresAt == time.adding(.seconds(3600)))
        #expect(events.first?.stream.kind == .analysis)
    }

    @Test func anAnalysisThatIsTooLargeIsRefused() {
        var scenario = Scenario()
        scenario.settings.limits.documentBytesMax = 10
        let refused = scenario.rejection(
            .recordAnalysis(id: scenario.newID(), document: JSONText(verified: #"{"a":"bcdefgh"}"#)))
        #expect(refused?.code == .invalidArgument)
    }

    @Test func aBuildIsRememberedUntilItHasEnded() throws {
        var scenario = Scenario()
        let id: BuildID = scenario.newID()
        try scenario.when(.requestBuild(id: id, Self.requested))
        #expect(scenario.state.builds[id]?.attempts == 0)
        try scenario.when(.startBuild(id))
        let again = try scenario.when(.startBuild(id))
        #expect(again.first?.payload == .buildStarted(BuildStarted(attempt: 2)))
        #expect(again.first?.streamSequence == 3)
        try scenario.when(.finishBuild(id, BuildFinished(error: nil, log: "")))
        #expect(scenario.state.builds.isEmpty)
        #expect(scenario.rejection(.startBuild(id))?.code == .buildNotOpen)
        #expect(scenario.rejection(.finishBuild(id, BuildFinished(error: "x", log: "")))?.code == .buildNotOpen)
    }

    @Test func anotherWorkspaceCannotEndABuild() throws {
        var scenario = Scenario()
        let id: BuildID = scenario.newID()
        try scenario.when(.requestBuild(id: id, Self.requested))
        scenario.workspace = try #require(WorkspaceName("elsewhere"))
        #expect(scenario.rejection(.finishBuild(id, BuildFinished(error: "x", log: "")))?.code == .buildNotOpen)
        #expect(scenario.state.builds.count == 1)
    }

    @Test func moreOpenBuildsThanTheLimitAreRefused() throws {
        var scenario = Scenario()
        scenario.settings.limits.openBuildsMax = 1
        let first: BuildID = scenario.newID()
        try scenario.when(.requestBuild(id: first, Self.requested))
        let refused = scenario.rejection(.requestBuild(id: scenario.newID(), Self.requested))
        #expect(refused?.code == .limitReached)
        try scenario.when(.finishBuild(first, BuildFinished(error: nil, log: "")))
        try scenario.when(.requestBuild(id: scenario.newID(), Self.requested))
    }

    @Test(arguments: ["", String(repeating: "x", count: 254), "a\nb"])
    func aBuildNeedsAPlainName(_ name: String) {
        var scenario = Scenario()
        let requested = BuildRequested(name: name, image: "i", document: JSONText(verified: "{}"))
        #expect(scenario.rejection(.requestBuild(id: scenario.newID(), requested))?.code == .invalidArgument)
    }
}
