package import Domain
import GRDB

extension Projections {
    /// The calls of a subject on a day and in its month: at most 31 rows by key, on the caller's thread.
    package func modelUsage(
        of subject: ModelSubject, on day: CalendarDay, _ workspace: WorkspaceName
    ) throws(ProjectionError) -> (day: CallAmounts, month: CallAmounts) {
        let first = CalendarMonth(containing: day.start).firstDay
        return try lookUp { db in
            let statement = try db.cachedStatement(
                sql: """
                    SELECT day, calls, tokens, cost FROM model_subject_usage
                    WHERE workspace = ? AND subject = ? AND name = ? AND day BETWEEN ? AND ?
                    """)
            let arguments: StatementArguments = [
                workspace.text, subject.kind.rawValue, subject.name, first.daysSinceEpoch, day.daysSinceEpoch,
            ]
            var (today, month) = (CallAmounts(), CallAmounts())
            for row in try Row.fetchAll(statement, arguments: arguments) {
                let amounts = CallAmounts(
                    requests: try row.sum("calls"), tokens: try row.sum("tokens"), cost: MicroUSD(try row.sum("cost")))
                month = month + amounts
                if try row.column("day") == day.daysSinceEpoch { today = amounts }
            }
            return (today, month)
        }
    }
}
