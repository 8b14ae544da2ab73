package import Domain
import GRDB

extension Projections {
    /// One revision of an agent.
    package func agentVersion(
        _ revision: UInt64, of id: ResourceID
    ) async throws(ProjectionError) -> AgentVersionRecord? {
        try lookUp { db in
            try db.first(
                "SELECT * FROM agent_versions WHERE id = ? AND revision = ?", [id.column, Int64(clamping: revision)],
                AgentVersionRecord.init)
        }
    }

    /// The newest revision before another that has served.
    package func agentVersionServed(
        before revision: UInt64, of id: ResourceID
    ) async throws(ProjectionError) -> AgentVersionRecord? {
        try lookUp { db in
            try db.first(
                """
                SELECT * FROM agent_versions WHERE id = ? AND revision < ? AND served_at IS NOT NULL
                ORDER BY revision DESC LIMIT 1
                """, [id.column, Int64(clamping: revision)], AgentVersionRecord.init)
        }
    }

    /// The newest revisions of an agent, without their documents, newest first.
    package func agentVersions(
        of id: ResourceID, limit: Int
    ) async throws(ProjectionError) -> [AgentVersionRecord] {
        try await query { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT id, revision, '{}' AS document, restored_revision, stored_at, served_at, phase, status_message
                    FROM agent_versions WHERE id = ? ORDER BY revision DESC LIMIT ?
                    """, arguments: [id.column, limit]
            ).map(AgentVersionRecord.init)
        }
    }

    /// The names of all resources of one kind.
    package func resourceNames(
        _ kind: ResourceKind, in workspace: WorkspaceName
    ) async throws(ProjectionError) -> [String] {
        try await query { db in
            try String.fetchAll(
                db, sql: "SELECT name FROM resources WHERE workspace = ? AND kind = ?",
                arguments: [workspace.text, kind.rawValue])
        }
    }
}
