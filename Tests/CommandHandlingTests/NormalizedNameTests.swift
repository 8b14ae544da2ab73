import CommandHandling
import Domain
import EventStore
import Testing

/// Names enter the log in normalization form C alone, so that Swift and SQLite agree on which of them are equal.
@Suite struct NormalizedNameTests {
    private static let hidden = [
        "cafe\u{301}", "\u{212b}", "\u{1100}\u{1161}", "\u{212a}", "\u{2126}", "e\u{302}\u{323}",
    ]
    private static let plain = ["caf\u{e9}", "\u{c5}", "\u{ac00}", "K", "x\u{301}", "\u{0ba4}\u{0bbe}", "alice", ""]

    @Test func textsInFormCAreNormalized() {
        for name in Self.plain { #expect(name.isNormalized, "\(name)") }
        for name in Self.hidden { #expect(!name.isNormalized, "\(name)") }
    }

    private static func commands(_ name: String, _ writer: Writer, _ run: RunID) -> [Command] {
        func create(agent: String = "a", user: String = "u") -> Command {
            .createRun(
                CreateRun(
                    runID: writer.commands.newID(), agentID: agent, userID: user, conversationID: nil, invokeURL: nil,
                    initialMessage: nil))
        }
        func ask(_ subject: String, _ tool: String, _ agent: String?, _ capability: String?) -> Command {
            .requestAccess(
                RequestAccess(
                    requestID: writer.commands.newID(), subject: subject, toolID: tool, agentID: agent, duration: nil,
                    runID: nil, actionID: writer.commands.newID(), capability: capability, payloadHash: nil,
                    method: nil, url: nil))
        }
        func key(_ name: String, groups: [String] = [], agent: String? = nil) -> Command {
            .createAPIKey(
                id: writer.commands.newID(),
                APIKeyCreated(
                    name: name, role: .agent, digest: "d", prefix: "p", last4: "l", expiresAt: nil, groups: groups,
                    agent: agent))
        }
        return [
            create(agent: name), create(user: name), ask(name, "t", nil, nil), ask("s", name, nil, nil),
            ask("s", "t", name, nil), ask("s", "t", nil, name), key(name), key("k", groups: [name]),
            key("k", agent: name),
            .blockAction(
                run: run,
                BlockAction(actionID: writer.commands.newID(), toolID: name, capability: nil, payloadHash: nil)),
            .blockAction(
                run: run,
                BlockAction(actionID: writer.commands.newID(), toolID: "t", capability: name, payloadHash: nil)),
            .storeResources(
                StoreResources(items: [
                    StoreResources.Item(
                        kind: .tool, name: name, newID: writer.commands.newID(), document: JSONText(verified: "{}"))
                ])),
        ]
    }

    @Test(arguments: hidden) func noCommandBringsAnotherFormIntoTheLog(name: String) async throws {
        let writer = try await Writer()
        try await writer.running {
            let (run, _) = try await writer.createRun()
            let position = await writer.backend.durablePosition
            for command in Self.commands(name, writer, run) {
                do {
                    _ = try await writer.commands.execute(command, Writer.request)
                    Issue.record("\(command) was accepted")
                } catch {
                    guard case CommandError.rejected(let rejection) = error else { throw error }
                    #expect(rejection.code == .invalidArgument && rejection.message.contains("(NFC)"))
                }
                #expect(throws: CommandError.self) { try writer.commands.check(command, Writer.request) }
            }
            #expect(await writer.backend.durablePosition == position)
        }
    }

    @Test func theSameNamesInFormCAreAccepted() async throws {
        let writer = try await Writer()
        try await writer.running {
            let (run, _) = try await writer.createRun()
            for command in Self.commands("\u{c5}", writer, run).prefix(6) {
                _ = try await writer.commands.execute(command, Writer.request)
            }
        }
    }
}
