package import Domain
import GRDB

extension Projections {
    /// The newest things that the workspace's connectors did, newest first.
    package func connectorActivity(
        limit: Int, in workspace: WorkspaceName
    ) async throws(ProjectionError) -> [ConnectorActivityRecord] {
        try await query { db in
            try Row.fetchAll(
                db, sql: "SELECT * FROM connector_activity WHERE workspace = ? ORDER BY position DESC LIMIT ?",
                arguments: [workspace.text, limit]
            ).map(ConnectorActivityRecord.init)
        }
    }

    /// The link of a message, of whichever workspace.
    package func decisionLink(_ id: DeliveryID) throws(ProjectionError) -> DecisionLinkRecord? {
        try lookUp { db in
            try db.first(
                "SELECT * FROM decision_links WHERE delivery_id = ?", [id.column], DecisionLinkRecord.init)
        }
    }
}
