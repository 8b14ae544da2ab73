import Domain
import EventStore
import GRDB

/// Whose data was erased, by the ids that are left of them.
enum ErasuresProjector {
    static func apply(_ recorded: RecordedEvent, _ id: PersonID, _ db: Database) throws {
        let event = recorded.event
        let position = Int64(recorded.position.value)
        if case .personErasureRequested = event.payload {
            try db.run(
                """
                INSERT INTO erasures (id, workspace, requested_by, requested_at, position) VALUES (?, ?, ?, ?, ?)
                """, [id.column, event.workspace.text, event.actor.name, event.time.microseconds, position])
        } else if case .personErased(let erased) = event.payload {
            try db.run(
                "UPDATE erasures SET erased_at = ?, events = ? WHERE id = ?",
                [event.time.microseconds, Int64(clamping: erased.events), id.column])
        }
    }
}
