import Domain
import EventStore
import GRDB

/// Takes a run that is not kept any more out of every table, and keeps the sums as they are.
///
/// The same rows come of a log that still has all of the run's records, some of them, or none.
enum RetentionProjector {
    /// What has rows of a run besides `runs`.
    private static let tables = [
        "timeline", "actions", "run_effects", "tool_calls", "run_tools", "model_answers", "access_requests",
        "checkpoints", "connector_activity", "decision_links",
    ]

    static func apply(_ recorded: RecordedEvent, _ texts: RunTexts, _ db: Database) throws {
        guard case .runExpired(let expired) = recorded.event.payload else { return }
        let run = expired.runID.column
        let isKnown = try db.first("SELECT 1 FROM expired_runs WHERE run_id = ?", [run]) { _ in true } ?? false
        guard !isKnown else { return }
        try texts.willChange(expired.runID, db)
        try settleUsage(expired, recorded.event.workspace, db)
        for table in tables { try db.run("DELETE FROM \(table) WHERE run_id = ?", [run]) }
        for request in expired.accessRequestIDs {
            try db.run("DELETE FROM access_requests WHERE id = ?", [request.column])
            try db.run(
                "INSERT OR IGNORE INTO expired_requests (position, request_id, run_id) VALUES (?, ?, ?)",
                [Int64(recorded.position.value), request.column, run])
        }
        try db.run("DELETE FROM runs WHERE id = ?", [run])
        try db.run(
            "INSERT INTO expired_runs (run_id, workspace, position, expired_at) VALUES (?, ?, ?, ?)",
            [
                run, recorded.event.workspace.text, Int64(recorded.position.value),
                recorded.event.time.microseconds,
            ])
    }

    /// Adds to the days' sums what the run's records have added there once and do not any more.
    private static func settleUsage(_ expired: RunExpired, _ workspace: WorkspaceName, _ db: Database) throws {
        let run = expired.runID.column
        for usage in expired.usage {
            var (runs, calls) = (Int(usage.runs), Int(usage.toolCalls))
            let row = try Row.fetchOne(
                try db.cachedStatement(sql: "SELECT runs, tool_calls FROM run_usage WHERE run_id = ? AND day = ?"),
                arguments: [run, usage.day])
            if let row {
                runs -= try row.column("runs") as Int
                calls -= try row.column("tool_calls") as Int
            }
            guard runs != 0 || calls != 0 else { continue }
            try DailyUsageProjector.add(runs: runs, toolCalls: calls, on: usage.day, workspace, db)
        }
        try db.run("DELETE FROM run_usage WHERE run_id = ?", [run])
    }
}
