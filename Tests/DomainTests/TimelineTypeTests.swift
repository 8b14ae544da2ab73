import Domain
import Testing

/// Entries on a timeline that clients state cannot be taken for what the server observed.
@Suite struct TimelineTypeTests {
    private static let own = ActingAgent(name: "payments", isManaged: false)

    private static func added(_ type: String, actor: String? = nil) -> RunEventAdded {
        RunEventAdded(type: type, actor: actor, payloadHash: nil, data: nil)
    }

    /// The name as an attacker would write it.
    private static func spellings(_ name: String) -> [String] {
        [
            name, name.lowercased(), name.prefix(1) + name.dropFirst().lowercased(), " " + name, name + " ",
            name + "\u{200b}", "\u{feff}" + name,
            name + "\u{0301}", name.replacing("_", with: "-"), name.replacing("_", with: "."), name + "_", "_" + name,
            name.replacing("_", with: ""), name.replacing("A", with: "\u{0410}").replacing("E", with: "\u{0415}"),
            name.replacing("L", with: "\u{ff2c}"), name.replacing("I", with: "\u{0131}"),
        ]
    }

    @Test(arguments: TimelineType.allCases) func noClientWritesATypeOfTheServers(type: TimelineType) throws {
        for invokeURL in ["http://agent.test/", nil] {
            for spelling in Self.spellings(type.rawValue) {
                var scenario = Scenario()
                let run = try scenario.createRun(invokeURL: invokeURL)
                let isPlain = spelling.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f }
                // Results of tools, and model calls of a run that its client drives, are the client's to state.
                let isOpen = type == .toolResponse || type == .modelCall && invokeURL == nil
                let rejection = scenario.rejection(.addRunEvents(run: run, [Self.added(spelling)]))
                #expect(rejection?.code == (isOpen && isPlain ? nil : .invalidArgument), "\(spelling)")
            }
        }
    }

    @Test(arguments: [
        "USER_MESSAGE", "AGENT_MESSAGE", "TOOL_REQUEST", "TOOL_CALL", "ERROR", "custom.type", "a/b:c-d_1",
    ])
    func clientsWriteTheirOwnTypes(type: String) throws {
        var scenario = Scenario()
        let run = try scenario.createRun(invokeURL: "http://agent.test/")
        #expect(scenario.rejection(.addRunEvents(run: run, [Self.added(type)])) == nil)
    }

    @Test(
        arguments: [
            (nil, true), ("", true), ("payments", true), ("finance@corp", false), ("PAYMENTS", false),
            ("server", false),
        ] as [(String?, Bool)])
    func anAgentNamesNoActorButItself(actor: String?, isAccepted: Bool) throws {
        for agent in [Self.own, ActingAgent(name: nil, isManaged: false)] {
            var scenario = Scenario()
            let run = try scenario.createRun()
            scenario.agent = agent
            let rejection = scenario.rejection(.addRunEvents(run: run, [Self.added("NOTE", actor: actor)]))
            #expect(rejection?.code == (isAccepted ? nil : .agentMismatch))
        }
    }

    @Test func anEntryRecordsTheAgentThatAddedIt() throws {
        var scenario = Scenario()
        let run = try scenario.createRun()
        try scenario.when(.addRunEvents(run: run, [Self.added("NOTE", actor: "alice")]))
        scenario.agent = Self.own
        try scenario.when(.addRunEvents(run: run, [Self.added("NOTE")]))
        let agents = scenario.history.compactMap { event -> String?? in
            if case .runEventAdded(let added) = event.payload { .some(added.agentID) } else { nil }
        }
        #expect(agents == [nil, "payments"])
    }
}
