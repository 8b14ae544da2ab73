import Domain
import Gateways
import Testing

@Suite struct SlackChannelTests {
    private static let others: [JSONValue.Member] = [.init(name: "X-Team", value: .string("ops"))]
    private static let token = JSONValue.Member(name: "bot_token", value: .string("xoxb-1"))

    @Test(arguments: ["X-Slack-Bot-Token", "x-slack-bot-token"])
    func isABotAtSlacksAPIWithTheTokenOfTheHeader(name: String) throws {
        let headers = Self.others + [.init(name: name, value: Self.token.value)]
        let stored = ConnectorConnection(endpoint: "C0123456789", headers: headers, credentials: [])
        let channel = try #require(SlackChannel(stored, of: .slack))
        let api = "https://slack.com/api/chat.postMessage"
        #expect(
            channel.connection
                == ConnectorConnection(endpoint: api, headers: Self.others, credentials: [Self.token]))
        #expect(channel.hasToken)
        let settings = JSONValue.object([.init(name: "channel", value: .string("C0000000000"))])
        #expect(channel.settings(settings)["channel"] == .string("C0123456789"))
        #expect(SlackChannel.url("C0123456789") == api && SlackChannel.url("https://a.test/x") == "https://a.test/x")
    }

    @Test func theCredentialCountsBeforeTheHeader() throws {
        let header = JSONValue.Member(name: SlackChannel.tokenHeader, value: .string("xoxb-2"))
        let stored = ConnectorConnection(endpoint: "#approvals", headers: [header], credentials: [Self.token])
        let channel = try #require(SlackChannel(stored, of: .slack))
        #expect(channel.connection.credentials == [Self.token] && channel.connection.headers.isEmpty)
    }

    @Test(arguments: ["C0123456789", "D0123456789", "G01234567", "U0123456789", "#approvals", "#a-b_2"])
    func knowsChannels(_ endpoint: String) { #expect(SlackChannel.isChannel(endpoint)) }

    @Test(arguments: [
        "", "C", "C012", "c0123456789", "X0123456789", "C0123-45678", "#", "# approvals", "#Approvals", "#a#b",
        "https://slack.com/api", "C" + String(repeating: "0", count: 31),
    ])
    func knowsWhatIsNoChannel(_ endpoint: String) { #expect(!SlackChannel.isChannel(endpoint)) }

    @Test func aConnectorOfAnotherKindHasNoChannel() {
        let connection = ConnectorConnection(endpoint: "C0123456789", headers: [], credentials: [])
        #expect(SlackChannel(connection, of: .webhook) == nil)
        #expect(SlackChannel(connection, of: .slack)?.hasToken == false)
    }
}
