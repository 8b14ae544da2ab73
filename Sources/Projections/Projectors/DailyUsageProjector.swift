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
        try db.run(
            """
            INSERT INTO daily_usage (workspace, day, runs, tool_calls) VALUES (?, ?, ?, ?)
            ON CONFLICT DO UPDATE SET runs = runs + excluded.runs, tool_calls = tool_calls + excluded.tool_calls
            """,
            [
                event.workspace.text, CalendarDay(containing: event.time).daysSinceEpoch, counts.runs,
                counts.toolCalls,
            ])
    }
}
