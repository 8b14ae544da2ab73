import Domain
import GRDB

/// The stops in force.
enum ControlsProjector {
    static func apply(_ event: Event, _ db: Database) throws {
        if case .controlStopped(let stopped) = event.payload {
            try db.run(
                """
                INSERT OR REPLACE INTO controls (workspace, kind, name, stopped_by, stopped_at, reason, holds_runs)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """,
                [
                    event.workspace.text, stopped.kind.rawValue, stopped.name, event.actor.name,
                    event.time.microseconds, stopped.reason, stopped.holdsRuns,
                ])
        } else if case .controlStarted(let started) = event.payload {
            try db.run(
                "DELETE FROM controls WHERE workspace = ? AND kind = ? AND name = ?",
                [event.workspace.text, started.kind.rawValue, started.name])
        }
    }
}
