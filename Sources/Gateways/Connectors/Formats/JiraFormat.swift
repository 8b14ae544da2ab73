import Domain
import Foundation

/// Jira Cloud's REST API v3: an issue, and a comment on it once there is a decision.
struct JiraFormat: ConnectorFormat {
    private static let path = "/rest/api/3/issue"

    private let connector: ApprovalConnector

    init(_ connector: ApprovalConnector) { self.connector = connector }

    func ask(_ message: ApprovalMessage, at time: Timestamp) throws(ConnectorProblem) -> ConnectorRequest {
        guard let project = connector.settings["project"]?.string else {
            throw ConnectorProblem("Jira needs a project: set settings.project to its key")
        }
        let lines = message.shownFacts.map { Self.paragraph([Self.text("\($0.name): \($0.value)")]) }
        var content = lines + [Self.paragraph([Self.text(message.hint)])]
        if let link = message.link { content.append(Self.paragraph([Self.text(link, link: link)])) }
        return ConnectorRequest(
            connector.url(Self.path), headers: try authorization(),
            .members([
                "fields": .members([
                    "project": .members(["key": .string(project)]),
                    "issuetype": .members(["name": .string(connector.settings["issue_type"]?.string ?? "Task")]),
                    "summary": .string(String(message.title.prefix(255))),
                    "description": Self.document(content),
                    // Jira knows no idempotency key: by this label one finds an issue that was made twice.
                    "labels": .array([.string("sluice"), .string("sluice-\(message.deliveryID)")]),
                ])
            ]))
    }

    func read(_ answer: ConnectorAnswer, to message: ApprovalMessage) -> ConnectorReading {
        guard (200..<300).contains(answer.status) else { return Self.reading(answer, reference: nil) }
        guard let key = answer.json["key"]?.string, Self.isIssueKey(key) else {
            return .refused("Jira answered without the key of an issue", isRetryable: false)
        }
        return .delivered(reference: key)
    }

    func followUp(
        _ message: ApprovalMessage, _ outcome: ApprovalOutcome, reference: String, at time: Timestamp
    ) throws(ConnectorProblem) -> ConnectorRequest? {
        ConnectorRequest(
            connector.url(Self.path) + "/\(reference)/comment", headers: try authorization(),
            .members(["body": Self.document([Self.paragraph([Self.text(outcome.sentence)])])]))
    }

    /// Basic, of the account's e-mail address and its API token; or the header that the connector has.
    private func authorization() throws(ConnectorProblem) -> [(name: String, value: String)] {
        let connection = connector.connection
        if let user = connection.credential("username"), let token = connection.credential("api_token") {
            return [("Authorization", "Basic " + Data("\(user):\(token)".utf8).base64EncodedString())]
        }
        guard connection.header("Authorization") != nil else {
            throw ConnectorProblem("Jira needs credentials.username and credentials.api_token")
        }
        return []
    }

    private static func isIssueKey(_ key: String) -> Bool {
        (1...255).contains(key.utf8.count)
            && key.utf8.allSatisfy { byte in
                UInt8(ascii: "-") == byte || UInt8(ascii: "_") == byte
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte & 0xdf)
            }
    }

    /// Atlassian Document Format.
    private static func document(_ content: [JSONValue]) -> JSONValue {
        .members(["type": .string("doc"), "version": .number(1), "content": .array(content)])
    }

    private static func paragraph(_ content: [JSONValue]) -> JSONValue {
        .members(["type": .string("paragraph"), "content": .array(content)])
    }

    private static func text(_ text: String, link: String? = nil) -> JSONValue {
        .members([
            "type": .string("text"), "text": .string(text),
            "marks": link.map { link in
                .array([.members(["type": .string("link"), "attrs": .members(["href": .string(link)])])])
            },
        ])
    }
}
