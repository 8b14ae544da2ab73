import Domain
import EventStore
import Foundation
import GRDB

/// What connectors sent and what came of it, and the links in their messages.
enum DeliveriesProjector {
    static func apply(_ recorded: RecordedEvent, _ db: Database) throws {
        switch recorded.event.payload {
        case .deliveryStarted(let started):
            try insert(
                recorded, started.label, message: text(started.purpose, "attempt \(started.attempt)"), db: db)
            if let link = started.link { try store(link, started.label, recorded.event.workspace, db) }
        case .deliveryEnded(let ended):
            let (status, error): (UInt32?, String?) =
                switch ended.outcome {
                case .delivered(let status, _): (status, nil)
                case .failed(let status, let error, let retryAt):
                    (status, error + (retryAt.map { "; next attempt at \($0)" } ?? "; given up"))
                }
            try insert(
                recorded, ended.label, statusCode: status,
                duration: ended.latency.wholeMicroseconds / 1000,
                message: text(ended.purpose, error ?? "attempt \(ended.attempt)"), db: db)
        case .decisionLinkUsed(let used):
            let decision = used.approves ? "approved" : "rejected"
            try insert(
                recorded, used.label, decision: decision, approver: recorded.event.actor.name,
                message: "decided by the message's link", db: db)
            try db.run(
                "UPDATE decision_links SET decision = ? WHERE delivery_id = ?", [decision, used.label.id.column])
        default: break
        }
    }

    private static func text(_ purpose: DeliveryPurpose, _ text: String) -> String {
        purpose == .ask ? text : "follow-up: " + text
    }

    private static func store(
        _ link: DecisionLink, _ label: DeliveryLabel, _ workspace: WorkspaceName, _ db: Database
    ) throws {
        try db.run(
            """
            INSERT INTO decision_links (delivery_id, workspace, connector, connector_name, run_id, action_id,
                request_id, digest, payload_hash, expires_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT DO NOTHING
            """,
            [
                label.id.column, workspace.text, label.connector, label.connectorName,
                label.subject.runID.column(), label.subject.actionID.column(), label.subject.requestID.column(),
                Data(link.digest), link.payloadHash?.text, link.expiresAt.microseconds,
            ])
    }

    private static func insert(
        _ recorded: RecordedEvent, _ label: DeliveryLabel, decision: String? = nil, approver: String? = nil,
        statusCode: UInt32? = nil, duration: Int64? = nil, message: String, db: Database
    ) throws {
        try db.run(
            """
            INSERT INTO connector_activity (id, workspace, position, time, event, connector, connector_name, run_id,
                action_id, request_id, decision, approver_id, status_code, duration_ms, message)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                recorded.event.id.column, recorded.event.workspace.text, Int64(recorded.position.value),
                recorded.event.time.microseconds, recorded.event.payload.typeName, label.connector,
                label.connectorName, label.subject.runID.column(), label.subject.actionID.column(),
                label.subject.requestID.column(), decision, approver, statusCode.map { Int64($0) }, duration,
                message.freeText,
            ])
    }
}
