package import Domain
import GRDB

extension RunFilter {
    /// The conditions on time, tool and end.
    var conditions: (sql: [String], arguments: StatementArguments) {
        var sql: [String] = []
        var arguments: StatementArguments = []
        if isUnfinished {
            let unfinished = RunStatus.allCases.filter { !$0.isFinished }.map(\.rawValue)
            sql.append("status IN (\(databaseQuestionMarks(count: unfinished.count)))")
            arguments += StatementArguments(unfinished)
        }
        if let createdAfter {
            sql.append("created_at >= ?")
            arguments += [createdAfter.microseconds]
        }
        if let createdBefore {
            sql.append("created_at < ?")
            arguments += [createdBefore.microseconds]
        }
        if let tool {
            sql.append("EXISTS (SELECT 1 FROM run_tools WHERE run_tools.run_id = runs.id AND run_tools.tool = ?)")
            arguments += [tool]
        }
        return (sql, arguments)
    }
}

extension Projections {
    /// The number of runs that the filter's agent, user, status, times and tool select.
    package func count(of filter: RunFilter, in workspace: WorkspaceName) async throws(ProjectionError) -> Int {
        var (sql, arguments) = (["workspace = ?"], [workspace.text] as StatementArguments)
        for (column, value) in [
            ("agent_id", filter.agentID), ("status", filter.status?.rawValue), ("user_id", filter.userID),
        ] {
            guard let value else { continue }
            sql.append("\(column) = ?")
            arguments += [value]
        }
        let own = filter.conditions
        sql += own.sql
        arguments += own.arguments
        return try await query { [sql, arguments] db in
            try Int.fetchOne(
                db, sql: "SELECT count(*) FROM runs WHERE \(sql.joined(separator: " AND "))", arguments: arguments) ?? 0
        }
    }
}
