import GRDB
import Synchronization

/// A statement as it was executed, and the plan of SQLite for it.
package struct QueryPlan: Hashable, Sendable {
    package let sql: String
    /// The lines of `EXPLAIN QUERY PLAN`.
    package let steps: [String]
}

/// The statements that the reads of a task execute.
final class StatementLog: Sendable {
    @TaskLocal static var current: StatementLog?

    private let statements = Mutex<[String]>([])

    var all: [String] { statements.withLock(\.self) }

    /// Reads, and notes each statement that is executed meanwhile, but for those of FTS5 on the tables that it consists of.
    func noting<Value>(_ db: Database, _ read: (Database) throws -> Value) rethrows -> Value {
        db.trace { event in
            guard case .statement(let statement) = event else { return }
            let sql = statement.sql
            guard sql.hasPrefix("SELECT"), !sql.contains("run_text_") else { return }
            self.statements.withLock { $0.append(sql) }
        }
        defer { db.trace() }
        return try read(db)
    }
}

extension Projections {
    /// The log of the task's statements. Reading a value of a task is left out until the first use of `plans`.
    var statementLog: StatementLog? { logsStatements.load(ordering: .relaxed) ? StatementLog.current : nil }

    /// The plans of the statements by which `body` reads: for tests and benchmarks of what is served.
    package func plans(of body: () async throws -> Void) async throws -> [QueryPlan] {
        let log = StatementLog()
        logsStatements.store(true, ordering: .relaxed)
        try await StatementLog.$current.withValue(log) { try await body() }
        return try await pool.read { db in
            try Set(log.all).sorted().map { sql in
                let explanation = try db.makeStatement(sql: "EXPLAIN QUERY PLAN " + sql)
                // The plan is that of any values.
                explanation.setUncheckedArguments(StatementArguments())
                return QueryPlan(sql: sql, steps: try Row.fetchAll(explanation).map { $0["detail"] })
            }
        }
    }
}
