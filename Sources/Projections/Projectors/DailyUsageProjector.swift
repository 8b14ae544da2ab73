import Domain
import EventStore
import GRDB

/// How many runs began and how many calls of tools were made, day by day; calls of models have sums of their own.
enum DailyUsageProjector {
    static func apply(_ event: Event, _ db: Database) throws {
        let counts: (runs: Int, toolCalls: Int)
        switch event.payload {
        case .runCreated: counts = (1, 0)
        case .toolCalled: counts = (0, 1)
        default: return
        }
        let day = CalendarDay(containing: event.time).daysSinceEpoch
        try add(runs: counts.runs, toolCalls: counts.toolCalls, on: day, event.workspace, db)
        // What of it is the run's: it is told again when the run's records go.
        try db.run(
            """
            INSERT INTO run_usage (run_id, day, runs, tool_calls) VALUES (?, ?, ?, ?)
            ON CONFLICT DO UPDATE SET runs = runs + excluded.runs, tool_calls = tool_calls + excluded.tool_calls
            """, [RunID(event.stream.id).column, day, counts.runs, counts.toolCalls])
    }

    static func add(runs: Int, toolCalls: Int, on day: Int64, _ workspace: WorkspaceName, _ db: Database) throws {
        try db.run(
            """
            INSERT INTO daily_usage (workspace, day, runs, tool_calls) VALUES (?, ?, ?, ?)
            ON CONFLICT DO UPDATE SET runs = runs + excluded.runs, tool_calls = tool_calls + excluded.tool_calls
            """, [workspace.text, day, runs, toolCalls])
    }
}
