package import Domain
import GRDB

extension Projections {
    package func accessRequest(
        _ id: AccessRequestID, in workspace: WorkspaceName
    ) async throws(ProjectionError) -> AccessRequestRecord? {
        try await query { db in
            try Row.fetchOne(
                db, sql: "SELECT * FROM access_requests WHERE id = ? AND workspace = ?",
                arguments: [id.column, workspace.text]
            ).map(AccessRequestRecord.init)
        }
    }

    /// The workspace's requests, newest first; of one status, or of all.
    package func accessRequests(
        status: AccessRequestStatus?, in workspace: WorkspaceName
    ) async throws(ProjectionError) -> [AccessRequestRecord] {
        try await query { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT * FROM access_requests WHERE workspace = ? AND (? IS NULL OR status = ?)
                    ORDER BY position DESC
                    """,
                arguments: [workspace.text, status?.rawValue, status?.rawValue]
            ).map(AccessRequestRecord.init)
        }
    }

    /// The request that is pending for the same subject and tool (and run).
    package func pendingAccessRequest(
        subject: String, toolID: String, run: RunID?, in workspace: WorkspaceName
    ) async throws(ProjectionError) -> AccessRequestRecord? {
        try await query { db in
            try Row.fetchOne(
                db,
                sql: """
                    SELECT * FROM access_requests
                    WHERE workspace = ? AND status = 'PENDING' AND subject = ? AND tool_id = ? AND run_id IS ?
                    """,
                arguments: [workspace.text, subject, toolID, run.column()]
            ).map(AccessRequestRecord.init)
        }
    }

    package func resource(
        _ kind: ResourceKind, named name: String, in workspace: WorkspaceName
    ) async throws(ProjectionError) -> ResourceRecord? {
        try await query { db in
            try Row.fetchOne(
                db, sql: "SELECT * FROM resources WHERE workspace = ? AND kind = ? AND name = ?",
                arguments: [workspace.text, kind.rawValue, name]
            ).map(ResourceRecord.init)
        }
    }

    /// All resources of one kind, by name.
    package func resources(
        _ kind: ResourceKind, in workspace: WorkspaceName
    ) async throws(ProjectionError) -> [ResourceRecord] {
        try await query { db in
            try Row.fetchAll(
                db, sql: "SELECT * FROM resources WHERE workspace = ? AND kind = ? ORDER BY name",
                arguments: [workspace.text, kind.rawValue]
            ).map(ResourceRecord.init)
        }
    }

    /// The workspace's keys, oldest first.
    package func apiKeys(in workspace: WorkspaceName) async throws(ProjectionError) -> [APIKeyRecord] {
        try await query { db in
            try Row.fetchAll(
                db, sql: "SELECT * FROM api_keys WHERE workspace = ? ORDER BY position", arguments: [workspace.text]
            ).map(APIKeyRecord.init)
        }
    }

    package func counts() async throws(ProjectionError) -> ProjectionCounts {
        try await query { db in
            var runs: [RunStatus: Int] = [:]
            for row in try Row.fetchAll(db, sql: "SELECT status, count(*) AS count FROM runs GROUP BY status") {
                runs[try row.value("status")] = row["count"]
            }
            let pending = try Int.fetchOne(db, sql: "SELECT count(*) FROM access_requests WHERE status = 'PENDING'")
            return ProjectionCounts(runs: runs, pendingAccessRequests: pending ?? 0)
        }
    }
}
