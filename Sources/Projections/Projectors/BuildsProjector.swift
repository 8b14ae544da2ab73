import Domain
import EventStore
import GRDB

/// Builds, those that have not ended and of the others the newest ones of each workspace.
enum BuildsProjector {
    /// How many builds that have ended a workspace keeps.
    private static let endedMax = 200

    static func apply(_ recorded: RecordedEvent, _ id: BuildID, _ db: Database) throws {
        let event = recorded.event
        let time = event.time.microseconds
        if case .buildRequested(let requested) = event.payload {
            try db.run(
                """
                INSERT INTO builds (id, workspace, name, image, document, status, attempts, log, created_at, position)
                VALUES (?, ?, ?, ?, ?, ?, 0, '', ?, ?)
                """,
                [
                    id.column, event.workspace.text, requested.name, requested.image, requested.document.text,
                    BuildStatus.pending.rawValue, time, Int64(recorded.position.value),
                ])
        } else if case .buildStarted(let started) = event.payload {
            try db.run(
                "UPDATE builds SET status = ?, attempts = ?, started_at = ? WHERE id = ?",
                [BuildStatus.building.rawValue, started.attempt, time, id.column])
        } else if case .buildFinished(let finished) = event.payload {
            let status: BuildStatus = finished.error == nil ? .succeeded : .failed
            try db.run(
                """
                UPDATE builds SET status = ?, error = ?, log = ?, image_id = ?,
                    image_error = ?, completed_at = ?
                WHERE id = ?
                """,
                [
                    status.rawValue, finished.error.freeText, finished.log.freeText, finished.imageID,
                    finished.imageError.freeText,
                    time,
                    id.column,
                ])
            try forgetOldest(event.workspace, db)
        }
    }

    private static func forgetOldest(_ workspace: WorkspaceName, _ db: Database) throws {
        try db.run(
            """
            DELETE FROM builds WHERE id IN (
                SELECT id FROM builds WHERE workspace = ? AND completed_at IS NOT NULL
                ORDER BY position DESC LIMIT -1 OFFSET ?)
            """, [workspace.text, endedMax])
    }
}
