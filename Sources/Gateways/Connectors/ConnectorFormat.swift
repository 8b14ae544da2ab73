import Domain

/// A request to a service.
struct ConnectorRequest: Sendable {
    let url: String
    var headers: [(name: String, value: String)]
    let body: [UInt8]

    init(_ url: String, headers: [(name: String, value: String)] = [], _ body: JSONValue) {
        self.url = url
        self.headers = [("Content-Type", "application/json")] + headers
        self.body = Array(body.text.text.utf8)
    }
}

/// A service's answer.
struct ConnectorAnswer: Hashable, Sendable {
    let status: UInt32
    let body: [UInt8]
    /// The field `Retry-After`.
    var retryAfter: String?

    var json: JSONValue {
        do throws(JSONError) { return try JSONValue(parsing: body) } catch { return .null }
    }
}

/// What an answer means.
enum ConnectorReading: Hashable, Sendable {
    /// - Parameter reference: what to name the message by when it is followed up; `nil` where it cannot be.
    case delivered(reference: String?)
    case refused(String, isRetryable: Bool)
}

/// A connector that cannot send as it is set up. Nothing secret is in it.
struct ConnectorProblem: Error, Hashable {
    let message: String

    init(_ message: String) { self.message = message }
}

/// Writes messages as one kind of service wants them, and reads its answers. Pure: the time comes in.
protocol ConnectorFormat: Sendable {
    func ask(_ message: ApprovalMessage, at time: Timestamp) throws(ConnectorProblem) -> ConnectorRequest
    func read(_ answer: ConnectorAnswer, to message: ApprovalMessage) -> ConnectorReading

    /// Says on the message that it is decided; `nil` where the service does not allow that.
    func followUp(
        _ message: ApprovalMessage, _ outcome: ApprovalOutcome, reference: String, at time: Timestamp
    ) throws(ConnectorProblem) -> ConnectorRequest?
    func readFollowUp(_ answer: ConnectorAnswer) -> ConnectorReading
}

extension ConnectorFormat {
    /// By the status alone: 408, 425, 429 and 5xx may be better in a while.
    func read(_ answer: ConnectorAnswer, to message: ApprovalMessage) -> ConnectorReading {
        Self.reading(answer, reference: nil)
    }

    func readFollowUp(_ answer: ConnectorAnswer) -> ConnectorReading { Self.reading(answer, reference: nil) }

    func followUp(
        _ message: ApprovalMessage, _ outcome: ApprovalOutcome, reference: String, at time: Timestamp
    ) throws(ConnectorProblem) -> ConnectorRequest? { nil }

    static func reading(_ answer: ConnectorAnswer, reference: String?) -> ConnectorReading {
        if (200..<300).contains(answer.status) { return .delivered(reference: reference) }
        let isRetryable = answer.status >= 500 || [408, 425, 429].contains(answer.status)
        return .refused("the service answered \(answer.status)", isRetryable: isRetryable)
    }
}

extension ApprovalConnector {
    var format: any ConnectorFormat {
        switch kind {
        case .webhook: WebhookFormat(self)
        case .slack: SlackFormat(self)
        case .teams: TeamsFormat(self)
        case .jira: JiraFormat(self)
        case .pagerduty: PagerDutyFormat(self)
        }
    }
}
