package import Domain
import GRDB

extension Projections {
    package func accessRequest(
        _ id: AccessRequestID, in workspace: WorkspaceName
    ) async throws(ProjectionError) -> AccessRequestRecord? {
        try lookUp { db in
            try db.first(
                "SELECT * FROM access_requests WHERE id = ? AND workspace = ?", [id.column, workspace.text],
                AccessRequestRecord.init)
        }
    }

    /// The workspace's first requests of that status that began before a position, newest first.
    package func accessRequests(
        status: AccessRequestStatus, before: Position?, limit: Int, in workspace: WorkspaceName
    ) async throws(ProjectionError) -> Page<AccessRequestRecord> {
        try await query { db in
            try Page(
                db,
                sql: """
                    SELECT * FROM access_requests WHERE workspace = ? AND status = ? AND position < ?
                    ORDER BY position DESC
                    """,
                [workspace.text, status.rawValue, before.map { Int64($0.value) } ?? .max], limit: limit,
                sizeBytes: { 512 + ($0.url?.utf8.count ?? 0) }, AccessRequestRecord.init)
        }
    }

    /// The request that is pending for the same subject and tool (and run).
    package func pendingAccessRequest(
        subject: String, toolID: String, run: RunID?, in workspace: WorkspaceName
    ) async throws(ProjectionError) -> AccessRequestRecord? {
        try lookUp { db in
            try db.first(
                """
                SELECT * FROM access_requests
                WHERE workspace = ? AND status = 'PENDING' AND subject = ? AND tool_id = ? AND run_id IS ?
                    AND for_one_call = 0
                """,
                [workspace.text, subject, toolID, run.column()], AccessRequestRecord.init)
        }
    }

    package func resource(
        _ kind: ResourceKind, named name: String, in workspace: WorkspaceName
    ) async throws(ProjectionError) -> ResourceRecord? {
        try lookUp { db in
            try db.first(
                "SELECT * FROM resources WHERE workspace = ? AND kind = ? AND name = ?",
                [workspace.text, kind.rawValue, name], ResourceRecord.init)
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
