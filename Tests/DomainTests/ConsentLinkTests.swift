import Domain
import Testing

/// A record has no link that opens a consent.
@Suite struct ConsentLinkTests {
    private static let run = "018f0000-0000-7000-8000-000000000001"
    private static let action = "018f0000-0000-7000-8000-000000000002"
    private static let seal = "0123456789abcdef0123456789ABCDEF"
    private static let stem = "https://x.test/oauth/start/\(run)/\(action)/"

    @Test(arguments: ["/", "\\/", "\\\\/", "\\\\\\/", "%2F", "%2f", "%252F", "\\u002f"])
    func redactsTheSealHoweverTheSlashesAreWritten(slash: String) {
        let text = "open \(Self.stem + Self.seal)?ticket=1, please".replacing("/", with: slash)
        let redacted = ConsentLink.redacted(text)
        #expect(redacted == "open \(Self.stem)***?ticket=1, please".replacing("/", with: slash))
        #expect(ConsentLink.redacted(redacted) == redacted)
    }

    @Test func redactsEveryLinkOfAText() {
        let link = Self.stem + Self.seal
        #expect(
            ConsentLink.redacted("\(link) oauth \(link)\(link)")
                == "\(Self.stem)*** oauth \(Self.stem)***\(Self.stem)***")
    }

    @Test(arguments: [
        "", "oauth", "oauth/start", "/oauth/start/\(run)/\(action)/", "/oauth/start/\(run)/\(action)/0123456789abcdef",
        "/oauth/start/\(run)/\(seal)", "/oauth/callback?state=\(seal)\(seal)", "é oauth/start/x/y/z",
    ])
    func leavesEverythingElse(text: String) {
        #expect(ConsentLink.redacted(text) == text)
    }

    @Test func whatAnAgentReportsIsRecordedWithoutTheSeal() throws {
        var scenario = Scenario()
        let run = try scenario.createRun()
        let document = JSONText(verified: "{\"text\":\"\(Self.stem)\(Self.seal)\"}")
        let events =
            try scenario.when(
                .addRunEvents(
                    run: run, [RunEventAdded(type: "AGENT_MESSAGE", actor: nil, payloadHash: nil, data: document)]))
            + scenario.when(.recordToolResult(run: run, ToolResultRecorded(toolID: nil, document: document)))
            + scenario.when(
                .saveCheckpoint(
                    run: run,
                    CheckpointSaved(checkpointID: scenario.newID(), actionID: Self.action, document: document)))
        #expect(events.count == 3 && events.allSatisfy { !"\($0.payload)".contains(Self.seal) })
    }
}
