import Crypto
import Domain
import Foundation

/// JSON signed as Standard Webhooks 1.0 says: id, timestamp, and HMAC-SHA256 over both and the body.
struct WebhookFormat: ConnectorFormat {
    static let secretPrefix = "whsec_"

    private let connector: ApprovalConnector

    init(_ connector: ApprovalConnector) { self.connector = connector }

    func ask(_ message: ApprovalMessage, at time: Timestamp) throws(ConnectorProblem) -> ConnectorRequest {
        let type = message.isTest ? "approval.test" : "approval.requested"
        return try signed("msg_\(message.deliveryID)", event(type, message, time, more: []), at: time)
    }

    func read(_ answer: ConnectorAnswer, to message: ApprovalMessage) -> ConnectorReading {
        Self.reading(answer, reference: "msg_\(message.deliveryID)")
    }

    func followUp(
        _ message: ApprovalMessage, _ outcome: ApprovalOutcome, reference: String, at time: Timestamp
    ) throws(ConnectorProblem) -> ConnectorRequest? {
        let decided: [JSONValue.Member] = [
            .init(name: "decision", value: .string(outcome.decision.rawValue)),
            .init(name: "approver_id", value: outcome.approver.map(JSONValue.string) ?? .null),
            .init(name: "decision_reason", value: outcome.reason.map(JSONValue.string) ?? .null),
        ]
        return try signed(reference + "_decided", event("approval.decided", message, time, more: decided), at: time)
    }

    /// A notice of a security event; it waits for nothing and is not followed up.
    func security(
        _ notice: SecurityNotice, id: UUIDValue, at time: Timestamp
    ) throws(ConnectorProblem) -> ConnectorRequest {
        try signed("msg_\(id.text)", notice.body, at: time)
    }

    private func event(
        _ type: String, _ message: ApprovalMessage, _ time: Timestamp, more: [JSONValue.Member]
    ) -> JSONValue {
        func text(_ text: String?) -> JSONValue? { text.map(JSONValue.string) }
        var data: [JSONValue.Member] = []
        func add(_ name: String, _ value: JSONValue?) {
            if let value { data.append(.init(name: name, value: value)) }
        }
        add("delivery_id", text(message.deliveryID.description))
        add("workspace", text(message.workspace.text))
        add("request_id", text(message.subject.requestID?.description))
        add("run_id", text(message.subject.runID?.description))
        add("action_id", text(message.subject.actionID?.description))
        add("agent_id", text(message.agent))
        add("user_id", text(message.user))
        add("tool_id", text(message.tool))
        add("capability", text(message.capability))
        add("method", text(message.method))
        add("url", text(message.url))
        add("tool_origin", text(message.toolOrigin))
        add("payload_hash", text(message.payloadHash))
        add("headers_hash", text(message.headersHash))
        add("tool_headers", message.headers?.value)
        if message.needsSignature { add("signature_required", .bool(true)) }
        add("reason", text(message.reason))
        add("approver_groups", .array(message.groups.map(JSONValue.string)))
        if let clauses = message.approvers?.clausesJSON { add("approver_clauses", clauses) }
        add("covers", text(message.covers))
        add("expires_at", text(message.expiresAt.description))
        add("decision_url", text(message.link))
        return .members([
            "type": .string(type), "timestamp": .string(time.description), "data": .object(data + more),
        ])
    }

    private func signed(
        _ id: String, _ body: JSONValue, at time: Timestamp
    ) throws(ConnectorProblem) -> ConnectorRequest {
        guard let key = connector.connection.credential("signing_secret").flatMap(Self.key) else {
            throw ConnectorProblem("the connector has no signing secret of the form whsec_<base64>")
        }
        let seconds = String(time.microseconds / 1_000_000)
        var request = ConnectorRequest(connector.connection.endpoint, body)
        var code = HMAC<SHA256>(key: key)
        code.update(data: Array("\(id).\(seconds).".utf8))
        code.update(data: request.body)
        request.headers += [
            ("webhook-id", id), ("webhook-timestamp", seconds),
            ("webhook-signature", "v1," + Data(code.finalize()).base64EncodedString()),
        ]
        return request
    }

    /// The key in `whsec_…`: 24 to 64 bytes, in base64.
    static func key(_ secret: String) -> SymmetricKey? {
        guard secret.hasPrefix(secretPrefix),
            let bytes = Data(base64Encoded: String(secret.dropFirst(secretPrefix.count))),
            (24...64).contains(bytes.count)
        else { return nil }
        return SymmetricKey(data: bytes)
    }
}

/// Secrets to sign webhooks with.
package enum SigningSecret {
    package static func isValid(_ text: String) -> Bool { WebhookFormat.key(text) != nil }

    /// 256 random bits.
    package static func make() -> String {
        WebhookFormat.secretPrefix
            + SymmetricKey(size: .bits256).withUnsafeBytes { Data($0).base64EncodedString() }
    }
}
