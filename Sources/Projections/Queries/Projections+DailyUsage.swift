package import Domain
import GRDB

extension Projections {
    /// What was done from the first day to the last; days on which nothing was done are left out.
    package func dailyUsage(
        from first: CalendarDay, to last: CalendarDay, in workspace: WorkspaceName
    ) async throws(ProjectionError) -> [DailyUsageRecord] {
        try await query { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT day, sum(runs) AS runs, sum(tool_calls) AS tool_calls, sum(calls) AS model_calls,
                        sum(prompt_tokens) AS prompt_tokens, sum(completion_tokens) AS completion_tokens,
                        sum(cost) AS cost
                    FROM (
                        SELECT day, runs, tool_calls, 0 AS calls, 0 AS prompt_tokens, 0 AS completion_tokens, 0 AS cost
                        FROM daily_usage WHERE workspace = :workspace AND day BETWEEN :first AND :last
                        UNION ALL
                        SELECT day, 0, 0, calls, prompt_tokens, completion_tokens, cost
                        FROM model_usage WHERE workspace = :workspace AND day BETWEEN :first AND :last
                    ) GROUP BY day ORDER BY day
                    """,
                arguments: [
                    "workspace": workspace.text, "first": first.daysSinceEpoch, "last": last.daysSinceEpoch,
                ]
            ).map(DailyUsageRecord.init)
        }
    }
}
