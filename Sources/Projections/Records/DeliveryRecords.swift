package import Domain
import Foundation
import GRDB

/// One thing that a connector did, or that was done by it.
package struct ConnectorActivityRecord: Hashable, Sendable {
    package let id: EventID
    package let time: Timestamp
    package let event: String
    package let connector: String
    package let connectorName: String
    package let runID: RunID?
    package let actionID: ActionID?
    package let requestID: AccessRequestID?
    package let decision: String?
    package let approverID: String?
    package let statusCode: Int64?
    package let durationMilliseconds: Int64?
    package let message: String?

    init(_ row: Row) throws {
        id = try row.identifier("id")
        time = try row.time("time")
        event = try row.column("event")
        connector = try row.column("connector")
        connectorName = try row.column("connector_name")
        runID = try row.optionalIdentifier("run_id")
        actionID = try row.optionalIdentifier("action_id")
        requestID = try row.optionalIdentifier("request_id")
        decision = try row.column("decision")
        approverID = try row.column("approver_id")
        statusCode = try row.column("status_code")
        durationMilliseconds = try row.column("duration_ms")
        message = try row.freeText("message")
    }
}

/// A link that decides, or did.
package struct DecisionLinkRecord: Hashable, Sendable {
    package let workspace: WorkspaceName
    package let label: DeliveryLabel
    package let link: DecisionLink
    /// `approved` or `rejected`, once it was used.
    package let decision: String?

    init(_ row: Row) throws {
        workspace = try row.workspace()
        let (run, action): (RunID?, ActionID?) = (
            try row.optionalIdentifier("run_id"), try row.optionalIdentifier("action_id")
        )
        let request: AccessRequestID? = try row.optionalIdentifier("request_id")
        let subject: DeliverySubject
        if let run, let action {
            subject = .action(run, action, request)
        } else if let request {
            subject = .request(request)
        } else {
            throw MalformedRow("request_id")
        }
        label = DeliveryLabel(
            id: try row.identifier("delivery_id"), connector: try row.column("connector"),
            connectorName: try row.column("connector_name"),
            subject: subject)
        link = DecisionLink(
            digest: Array(try row.column("digest") as Data),
            payloadHash: (try row.column("payload_hash") as String?).map(PayloadHash.init),
            expiresAt: try row.time("expires_at"))
        decision = try row.column("decision")
    }
}
