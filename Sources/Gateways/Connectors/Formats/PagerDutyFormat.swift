import Domain

/// PagerDuty's Events API v2: a trigger, and a resolve with the same key.
struct PagerDutyFormat: ConnectorFormat {
    private static let path = "/v2/enqueue"
    private static let severities: Set = ["critical", "error", "warning", "info"]

    private let connector: ApprovalConnector

    init(_ connector: ApprovalConnector) { self.connector = connector }

    func ask(_ message: ApprovalMessage, at time: Timestamp) throws(ConnectorProblem) -> ConnectorRequest {
        var details = message.shownFacts.map { JSONValue.Member(name: $0.name, value: .string($0.value)) }
        details.append(.init(name: "Decide", value: .string(message.hint)))
        let severity = connector.settings["severity"]?.string ?? "warning"
        let payload = JSONValue.members([
            "summary": .string(String(message.title.prefix(1024))), "source": .string("sluice/\(message.workspace)"),
            "severity": .string(Self.severities.contains(severity) ? severity : "warning"),
            "timestamp": .string(time.description), "component": .string(message.tool), "class": .string("approval"),
            "custom_details": .object(details),
        ])
        var members: [JSONValue.Member] = [
            .init(name: "payload", value: payload), .init(name: "client", value: .string("Sluice")),
        ]
        if let link = message.link {
            let shown = JSONValue.members(["href": .string(link), "text": .string("Review and decide")])
            members.append(.init(name: "links", value: .array([shown])))
        }
        return try request("trigger", message, members)
    }

    func read(_ answer: ConnectorAnswer, to message: ApprovalMessage) -> ConnectorReading {
        Self.reading(answer, reference: message.deliveryID.description)
    }

    func followUp(
        _ message: ApprovalMessage, _ outcome: ApprovalOutcome, reference: String, at time: Timestamp
    ) throws(ConnectorProblem) -> ConnectorRequest? { try request("resolve", message, []) }

    private func request(
        _ action: String, _ message: ApprovalMessage, _ more: [JSONValue.Member]
    ) throws(ConnectorProblem) -> ConnectorRequest {
        guard
            let key = connector.connection.credential("routing_key") ?? connector.connection.header("X-Routing-Key")
        else { throw ConnectorProblem("PagerDuty needs the integration key: set credentials.routing_key") }
        let members: [JSONValue.Member] = [
            .init(name: "routing_key", value: .string(key)), .init(name: "event_action", value: .string(action)),
            .init(name: "dedup_key", value: .string(message.deliveryID.description)),
        ]
        return ConnectorRequest(connector.url(Self.path), .object(members + more))
    }
}
