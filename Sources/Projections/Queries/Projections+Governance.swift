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

    /// The workspace's first requests of that status after a place.
    package func accessRequests(
        status: AccessRequestStatus, by order: ListOrder<AccessRequestField>, after place: ListPlace?, limit: Int,
        in workspace: WorkspaceName
    ) async throws(ProjectionError) -> Page<AccessRequestRecord> {
        let condition = order.condition(after: place)
        return try await query { db in
            try Page(
                db,
                sql: """
                    SELECT * FROM access_requests WHERE workspace = ? AND status = ? AND \(condition.sql) \(order.sql)
                    """,
                [workspace.text, status.rawValue] + condition.arguments, limit: limit,
                sizeBytes: { 512 + ($0.url?.utf8.count ?? 0) }, AccessRequestRecord.init)
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

    /// All resources of one kind, by the names they are stored under unless another order is asked for.
    package func resources(
        _ kind: ResourceKind, by order: ResourceOrder? = nil, in workspace: WorkspaceName
    ) async throws(ProjectionError) -> [ResourceRecord] {
        let sorting = order?.sql(kind) ?? "ORDER BY name"
        // The kind is a part of the text: the index of connectors' names is of one kind.
        let sql = "SELECT * FROM resources WHERE workspace = ? AND kind = '\(kind.rawValue)' \(sorting)"
        return try await query { db in
            try Row.fetchAll(db, sql: sql, arguments: [workspace.text]).map(ResourceRecord.init)
        }
    }

    /// The workspace's keys, oldest first unless another order is asked for.
    package func apiKeys(
        by order: ListOrder<APIKeyField> = ListOrder(.createdAt, isDescending: false), in workspace: WorkspaceName
    ) async throws(ProjectionError) -> [APIKeyRecord] {
        try await query { db in
            try Row.fetchAll(
                db, sql: "SELECT * FROM api_keys WHERE workspace = ? \(order.sql)", arguments: [workspace.text]
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
        for row in rows { counts[try row.value("status")] = try row.column("count") }
        return counts
    }
}
