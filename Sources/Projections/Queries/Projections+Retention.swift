package import Domain
import GRDB

/// A finished run whose time is up, as its expiry is told.
package struct DueRun: Sendable {
    package let workspace: WorkspaceName
    package let expired: RunExpired
}

/// A run that has expired.
package struct ExpiredRun: Sendable {
    package let runID: RunID
    package let accessRequestIDs: [AccessRequestID]
    /// Where the log says so, and when it was.
    package let position: Position
    package let time: Timestamp
}

extension Projections {
    /// Runs that finished before the time, the oldest first, `limit` at most.
    package func runs(
        finishedBefore time: Timestamp, after place: Timestamp?, limit: Int
    ) async throws(ProjectionError) -> [(due: DueRun, finishedAt: Timestamp)] {
        try await query { db in
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT id, workspace, updated_at FROM runs
                    WHERE status IN ('COMPLETED', 'FAILED') AND updated_at < ? AND updated_at > ?
                    ORDER BY updated_at LIMIT ?
                    """, arguments: [time.microseconds, place?.microseconds ?? Int64.min, limit])
            return try rows.map { row in
                let id: RunID = try row.identifier("id")
                let requests: [AccessRequestID] = try Row.fetchAll(
                    db,
                    sql: "SELECT id FROM access_requests WHERE run_id = ? AND id IS NOT action_id ORDER BY position",
                    arguments: [id.column]
                ).map { try $0.identifier("id") }
                let usage = try Row.fetchAll(
                    db, sql: "SELECT day, runs, tool_calls FROM run_usage WHERE run_id = ? ORDER BY day",
                    arguments: [id.column]
                ).map {
                    RunExpired.Usage(
                        day: try $0.column("day"), runs: UInt32(clamping: try $0.column("runs") as Int64),
                        toolCalls: UInt32(clamping: try $0.column("tool_calls") as Int64))
                }
                return (
                    DueRun(
                        workspace: try row.workspace(),
                        expired: RunExpired(runID: id, accessRequestIDs: requests, usage: usage)),
                    try row.time("updated_at")
                )
            }
        }
    }

    /// Runs that have expired after the position, in order, `limit` at most.
    package func expiredRuns(
        after position: Position, limit: Int
    ) async throws(ProjectionError) -> [ExpiredRun] {
        try await query { db in
            try Row.fetchAll(
                db, sql: "SELECT * FROM expired_runs WHERE position > ? ORDER BY position LIMIT ?",
                arguments: [Int64(position.value), limit]
            ).map { row in
                let position = try row.position()
                let requests = try Row.fetchAll(
                    try db.cachedStatement(sql: "SELECT request_id FROM expired_requests WHERE position = ?"),
                    arguments: [Int64(clamping: position.value)])
                return ExpiredRun(
                    runID: try row.identifier("run_id"),
                    accessRequestIDs: try requests.map { try $0.identifier("request_id") },
                    position: position, time: try row.time("expired_at"))
            }
        }
    }

    /// When the run expired; `nil` when it has not, or is another workspace's.
    package func expiry(of run: RunID, in workspace: WorkspaceName) async throws(ProjectionError) -> Timestamp? {
        try await query { db in
            try db.first(
                "SELECT expired_at FROM expired_runs WHERE run_id = ? AND workspace = ?",
                [run.column, workspace.text]
            ) { try $0.time("expired_at") }
        }
    }
}
