package import Domain

/// A channel of Slack as a connector's endpoint, which older clients send with the token of a bot in a header.
///
/// The connector is a bot at Slack's API that writes to this channel. It is stored and shown as it came.
package struct SlackChannel: Hashable, Sendable {
    package static let tokenHeader = "X-Slack-Bot-Token"
    private static let api = "https://slack.com/api/chat.postMessage"

    private let id: String
    /// The connection to Slack's API.
    package let connection: ConnectorConnection

    /// - Returns: `nil` for a connector of another kind, and for an endpoint that is no channel.
    package init?(_ stored: ConnectorConnection, of kind: ConnectorKind?) {
        guard kind == .slack, Self.isChannel(stored.endpoint) else { return nil }
        id = stored.endpoint
        var credentials = stored.credentials
        if stored.credential("bot_token") == nil, let token = stored.header(Self.tokenHeader) {
            credentials.append(.init(name: "bot_token", value: .string(token)))
        }
        connection = ConnectorConnection(
            endpoint: Self.api,
            headers: stored.headers.filter { $0.name.lowercased() != Self.tokenHeader.lowercased() },
            credentials: credentials)
    }

    /// True when the connection has a bot's token.
    package var hasToken: Bool {
        [connection.credential("bot_token"), connection.header("Authorization")].contains { $0?.isEmpty == false }
    }

    /// The connector's settings with the channel.
    package func settings(_ settings: JSONValue) -> JSONValue {
        guard case .object(let members) = settings else { return settings }
        return .object(members.filter { $0.name != "channel" } + [.init(name: "channel", value: .string(id))])
    }

    /// True for the id of a conversation, such as `C0123456789`, and for the name of a channel, such as `#approvals`: letters in lower case, digits, - and _.
    package static func isChannel(_ endpoint: String) -> Bool {
        let rest = endpoint.utf8.dropFirst()
        switch endpoint.utf8.first {
        case UInt8(ascii: "#"):
            return (1...80).contains(rest.count) && rest.allSatisfy(isOfName)
        case UInt8(ascii: "C"), UInt8(ascii: "D"), UInt8(ascii: "G"), UInt8(ascii: "U"), UInt8(ascii: "W"):
            return (8...30).contains(rest.count)
                && rest.allSatisfy { (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) }
        default: return false
        }
    }

    private static func isOfName(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte) || byte == UInt8(ascii: "-")
            || byte == UInt8(ascii: "_") || byte >= 0x80
    }

    /// The URL of an endpoint: that of Slack's API for a channel.
    package static func url(_ endpoint: String) -> String { isChannel(endpoint) ? api : endpoint }
}
