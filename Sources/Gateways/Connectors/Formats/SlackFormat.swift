import Domain

/// Slack: `chat.postMessage` and `chat.update` with a bot's token, else an incoming webhook, which cannot be followed up.
struct SlackFormat: ConnectorFormat {
    private static let postPath = "/chat.postMessage"
    /// A field has at most 2000 characters, of which one may be written with five.
    private static let valueCharactersMax = 380
    private static let retryableErrors: Set = [
        "ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout",
    ]

    private let connector: ApprovalConnector
    private let botToken: String?

    init(_ connector: ApprovalConnector) {
        self.connector = connector
        let header = connector.connection.header("Authorization")
        botToken =
            connector.connection.credential("bot_token")
            ?? header.flatMap { $0.hasPrefix("Bearer xox") ? String($0.dropFirst(7)) : nil }
    }

    func ask(_ message: ApprovalMessage, at time: Timestamp) throws(ConnectorProblem) -> ConnectorRequest {
        var blocks = [Self.header(message.title)]
        blocks += Self.facts(message)
        blocks.append(Self.section(message.hint))
        if let link = message.link {
            let button = JSONValue.members([
                "type": .string("button"), "text": Self.plain("Review and decide"), "url": .string(link),
                "style": .string("primary"), "action_id": .string("sluice-decide"),
            ])
            blocks.append(.members(["type": .string("actions"), "elements": .array([button])]))
        }
        guard let botToken else {
            return ConnectorRequest(
                connector.connection.endpoint,
                .members(["text": .string(Self.escaped(message.title)), "blocks": .array(blocks)]))
        }
        guard let channel = connector.settings["channel"]?.string else {
            throw ConnectorProblem("a bot needs a channel: set settings.channel to the channel's id")
        }
        return ConnectorRequest(
            connector.url(Self.postPath), headers: [("Authorization", "Bearer " + botToken)],
            .members([
                "channel": .string(channel), "text": .string(Self.escaped(message.title)), "blocks": .array(blocks),
                "unfurl_links": .bool(false), "unfurl_media": .bool(false),
            ]))
    }

    func read(_ answer: ConnectorAnswer, to message: ApprovalMessage) -> ConnectorReading {
        guard botToken != nil, answer.status == 200 else { return Self.reading(answer, reference: nil) }
        let json = answer.json
        guard json["ok"] == .bool(true), let channel = json["channel"]?.string, let time = json["ts"]?.string else {
            return Self.refusal(json)
        }
        return .delivered(reference: "\(channel) \(time)")
    }

    func followUp(
        _ message: ApprovalMessage, _ outcome: ApprovalOutcome, reference: String, at time: Timestamp
    ) throws(ConnectorProblem) -> ConnectorRequest? {
        let parts = reference.split(separator: " ")
        guard let botToken, parts.count == 2 else { return nil }
        let base = connector.url(Self.postPath).dropLast(Self.postPath.count)
        var blocks = [Self.header(message.title)]
        blocks += Self.facts(message)
        blocks.append(Self.section("*\(Self.escaped(outcome.sentence))*"))
        return ConnectorRequest(
            base + "/chat.update", headers: [("Authorization", "Bearer " + botToken)],
            .members([
                "channel": .string(String(parts[0])), "ts": .string(String(parts[1])),
                "text": .string(Self.escaped(outcome.sentence)), "blocks": .array(blocks),
            ]))
    }

    func readFollowUp(_ answer: ConnectorAnswer) -> ConnectorReading {
        guard answer.status == 200 else { return Self.reading(answer, reference: nil) }
        return answer.json["ok"] == .bool(true) ? .delivered(reference: nil) : Self.refusal(answer.json)
    }

    private static func refusal(_ json: JSONValue) -> ConnectorReading {
        let code = String((json["error"]?.string ?? "no reason").filter { $0.isLetter || $0 == "_" }.prefix(64))
        return .refused("Slack answered \(code)", isRetryable: retryableErrors.contains(code))
    }

    /// At most 10 fields to a section.
    private static func facts(_ message: ApprovalMessage) -> [JSONValue] {
        let fields = message.shownFacts.map { fact in
            JSONValue.members([
                "type": .string("mrkdwn"),
                "text": .string("*\(fact.name)*\n\(escaped(ApprovalMessage.cut(fact.value, valueCharactersMax)))"),
            ])
        }
        return stride(from: 0, to: fields.count, by: 10).map { start in
            .members([
                "type": .string("section"), "fields": .array(Array(fields[start..<min(start + 10, fields.count)])),
            ])
        }
    }

    private static func header(_ text: String) -> JSONValue {
        .members(["type": .string("header"), "text": plain(String(text.prefix(150)))])
    }

    private static func section(_ text: String) -> JSONValue {
        .members([
            "type": .string("section"), "text": .members(["type": .string("mrkdwn"), "text": .string(text)]),
        ])
    }

    private static func plain(_ text: String) -> JSONValue {
        .members(["type": .string("plain_text"), "text": .string(text)])
    }

    /// The three characters that Slack reads as control characters.
    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }
}
