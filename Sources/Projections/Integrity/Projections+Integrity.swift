import Domain
package import EventStore
import GRDB

extension Projections {
    private static let problemsMax = 5

    /// Reads the whole file and looks for damage: its structure, each index against its table, and rows that contradict
    /// one another. Following and reading continue meanwhile; the write-ahead log grows until it is done.
    ///
    /// - Returns: the first problems; none for a file that is whole.
    /// - Throws: `CancellationError`, and `ProjectionError` when the file cannot be read for another reason than damage.
    package func integrityProblems() async throws -> [String] {
        do {
            return try await pool.read { db in
                let found = try String.fetchAll(db, sql: "PRAGMA integrity_check(\(Self.problemsMax))")
                return found == ["ok"] ? try Self.contradictions(db) : found
            }
        } catch let error as CancellationError {
            throw error
        } catch {
            let error = ProjectionError.wrapping(error)
            guard error.code == .unreadable else { throw error }
            return [error.description]
        }
    }

    /// Rows that no fold of a log makes.
    private static func contradictions(_ db: Database) throws -> [String] {
        var problems: [String] = []
        for (problem, sql) in rules where try Bool.fetchOne(db, sql: "SELECT EXISTS (\(sql))") ?? true {
            problems.append(problem)
        }
        return problems
    }

    private static let rules: [(problem: String, sql: String)] =
        ReadModelSchema.CountedTable.allCases.map { table in
            (
                "the counts of \(table.rawValue) are not those of its rows",
                """
                SELECT status, sum(count) AS total FROM (
                    SELECT status, count(*) AS count FROM \(table.rawValue) GROUP BY status
                    UNION ALL SELECT status, -count FROM status_counts WHERE counted = '\(table.rawValue)'
                ) GROUP BY status HAVING total <> 0
                """
            )
        } + [
            (
                "there are rows of later positions than the read models have",
                "SELECT 1 FROM timeline, meta WHERE timeline.position > meta.position"
            ),
            (
                "there are runs of later positions than the read models have",
                "SELECT 1 FROM runs, meta WHERE runs.position > meta.position"
            ),
            (
                "there are events of runs that are not there",
                "SELECT 1 FROM timeline WHERE NOT EXISTS (SELECT 1 FROM runs WHERE id = timeline.run_id)"
            ),
            (
                "events of a run are missing",
                """
                SELECT run_id FROM timeline GROUP BY run_id
                HAVING count(*) <> max(sequence) - min(sequence) + 1
                """
            ),
        ]

    /// Makes the read models again from the log, in the place of damaged ones.
    ///
    /// - Throws: `ProjectionError` when the new file cannot be made or put in place.
    package func replaceDamaged(from store: EventStore) async throws {
        try await renew(from: store, through: .zero)
        damage.clear()
    }
}
