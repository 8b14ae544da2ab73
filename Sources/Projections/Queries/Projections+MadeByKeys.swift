package import Domain
import GRDB

/// One resource, secret or key that an API key created or changed, and that exists.
package struct MadeByKeyRecord: Hashable, Sendable {
    package let workspace: WorkspaceName
    /// A kind of resource, `secret` or `api_key`.
    package let kind: String
    /// The resource's name, a secret's owner and name, or a key's id.
    package let name: String
    /// True when the key created it; else it changed what existed.
    package let isCreated: Bool
    /// The time of its latest change by the key.
    package let time: Timestamp

    init(_ row: Row) throws {
        workspace = try row.workspace()
        kind = try row.column("kind")
        name = try row.column("name")
        isCreated = try row.column("created")
        time = try row.time("time")
    }
}

/// Everything of an API key's making, over all workspaces.
package struct MadeByKey: Sendable {
    package let records: [MadeByKeyRecord]
    package let total: Int
    /// The unfinished runs that it created.
    package let unfinishedRuns: [(workspace: WorkspaceName, count: Int)]
}

extension Projections {
    /// The newest things that a key made, and the number of all.
    package func made(by key: APIKeyID, limit: Int) async throws(ProjectionError) -> MadeByKey {
        try await query { db in
            let records = try Row.fetchAll(
                db, sql: "SELECT * FROM made_by_keys WHERE key_id = ? ORDER BY position DESC LIMIT ?",
                arguments: [key.column, limit]
            ).map(MadeByKeyRecord.init)
            let total = try Int.fetchOne(
                db, sql: "SELECT count(*) FROM made_by_keys WHERE key_id = ?", arguments: [key.column])
            let unfinished = RunIndex.creator.condition ?? "1"
            let runs = try Row.fetchAll(
                db,
                sql: """
                    SELECT workspace, count(*) AS count FROM runs WHERE creator_key = ? AND \(unfinished)
                    GROUP BY workspace ORDER BY workspace
                    """, arguments: [key.column]
            ).map { row in (workspace: try row.workspace(), count: try row.column("count") as Int) }
            return MadeByKey(records: records, total: total ?? 0, unfinishedRuns: runs)
        }
    }

    /// True for a key of the workspace, and for one that was and is revoked.
    package func knows(_ key: APIKeyID, in workspace: WorkspaceName) async throws(ProjectionError) -> Bool {
        try await query { db in
            for table in ["api_keys", "ended_api_keys"] {
                let found = try Int.fetchOne(
                    db, sql: "SELECT 1 FROM \(table) WHERE id = ? AND workspace = ? LIMIT 1",
                    arguments: [key.column, workspace.text])
                if found != nil { return true }
            }
            return false
        }
    }
}
