package import Domain
import GRDB

extension RunFilter {
    /// The conditions on the rows of `runs`.
    func conditions(in workspace: WorkspaceName) -> (sql: [String], arguments: StatementArguments) {
        var sql = ["workspace = ?"]
        var arguments: StatementArguments = [workspace.text]
        func add(_ condition: String, _ value: (any DatabaseValueConvertible)?) {
            guard let value else { return }
            sql.append(condition)
            arguments += [value]
        }
        func add(_ statuses: [RunStatus]) {
            sql.append("status IN (\(databaseQuestionMarks(count: statuses.count)))")
            arguments += StatementArguments(statuses.map(\.rawValue))
        }
        add("agent_id = ?", agentID)
        add("status = ?", status?.rawValue)
        add("user_id = ?", userID)
        add("conversation_id = ?", conversationID)
        if isPaused { add(RunStatus.allCases.filter(\.isPaused)) }
        if let creatorKey {
            add("creator_key = ?", creatorKey.column)
            // The words of the index's own condition, so that it is used.
            if isUnfinished { sql.append("status IN ('RUNNING', 'PAUSED_APPROVAL', 'PAUSED_CONSENT')") }
        } else if isUnfinished {
            add(RunStatus.allCases.filter { !$0.isFinished })
        }
        add("created_at >= ?", createdAfter?.microseconds)
        add("created_at < ?", createdBefore?.microseconds)
        add("EXISTS (SELECT 1 FROM run_tools WHERE run_tools.run_id = runs.id AND run_tools.tool = ?)", tool)
        return (sql, arguments)
    }
}

extension Projections {
    /// The number of runs that match.
    package func count(of filter: RunFilter, in workspace: WorkspaceName) async throws(ProjectionError) -> Int {
        let (conditions, arguments) = filter.conditions(in: workspace)
        let sql = "SELECT count(*) FROM runs WHERE \(conditions.joined(separator: " AND "))"
        return try await query { db in try Int.fetchOne(db, sql: sql, arguments: arguments) ?? 0 }
    }
}
