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
        var sql = "SELECT * FROM access_requests WHERE workspace = ?"
        var arguments: StatementArguments = [workspace.text]
        if let status {
            sql += " AND status = ?"
            arguments += [status.rawValue]
        }
        let (text, values) = (sql + " ORDER BY position DESC", arguments)
        return try await query { try Row.fetchAll($0, sql: text, arguments: values).map(AccessRequestRecord.init) }
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

    /// How many runs, actions and access requests there are by status. Reads a row for each status, whatever the history.
    package func counts() async throws(ProjectionError) -> ProjectionCounts {
        try await query { db in
            ProjectionCounts(
                runs: try db.count(.runs), actions: try db.count(.actions),
                accessRequests: try db.count(.accessRequests))
        }
    }
}

extension Database {
    fileprivate func count<Status: RawRepresentable & Hashable & CaseIterable>(
        _ table: ReadModelSchema.CountedTable
    ) throws -> [Status: Int] where Status.RawValue == String {
        var counts = Dictionary(uniqueKeysWithValues: Status.allCases.map { ($0, 0) })
        let rows = try Row.fetchAll(
            self, sql: "SELECT status, count FROM status_counts WHERE counted = ?", arguments: [table.rawValue])
        for row in rows { counts[try row.value("status")] = row["count"] }
        return counts
    }
}
