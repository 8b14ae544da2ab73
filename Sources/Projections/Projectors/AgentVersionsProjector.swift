import Domain
import EventStore
import GRDB

/// Every revision of an agent since it was first deployed, and which of them has served.
enum AgentVersionsProjector {
    static func apply(_ recorded: RecordedEvent, _ db: Database) throws {
        let event = recorded.event
        switch event.payload {
        case .resourceStored(let stored): try apply(stored, event, db)
        case .resourceStatusRecorded(let status): try apply(status, event, db)
        case .resourceDeleted:
            try db.run("DELETE FROM agent_versions WHERE id = ?", [ResourceID(event.stream.id).column])
        default: break
        }
    }

    private static func apply(_ stored: ResourceStored, _ event: Event, _ db: Database) throws {
        // An agent that runs elsewhere is called at its address from now on.
        let isElsewhere = stored.document.value["invoke_url"]?.string != nil
        try db.run(
            """
            INSERT INTO agent_versions (id, revision, document, restored_revision, stored_at, served_at)
            VALUES (?, ?, ?, ?, ?, ?)
            """,
            [
                ResourceID(event.stream.id).column, Int64(stored.revision), stored.document.text,
                stored.restoredRevision.map(Int64.init), event.time.microseconds,
                isElsewhere ? event.time.microseconds : nil,
            ])
        // The status was an earlier revision's.
        try db.run(
            """
            UPDATE resources SET phase = NULL, status_message = NULL, probed_at = NULL,
                serving_revision = CASE WHEN ? THEN NULL ELSE serving_revision END
            WHERE workspace = ? AND kind = ? AND name = ?
            """, [isElsewhere, event.workspace.text, stored.kind.rawValue, stored.name])
    }

    /// The status of one revision; the agent itself shows that of its newest.
    private static func apply(_ status: ResourceStatusRecorded, _ event: Event, _ db: Database) throws {
        let (id, time) = (ResourceID(event.stream.id).column, event.time.microseconds)
        let newest = try db.first(
            "SELECT revision FROM resources WHERE workspace = ? AND kind = ? AND name = ?",
            [event.workspace.text, status.kind.rawValue, status.name]
        ) { row in try row.column("revision") as Int64 }
        guard let newest else { return }
        let revision = status.revision.map(Int64.init) ?? newest
        try db.run(
            "UPDATE agent_versions SET phase = ?, status_message = ? WHERE id = ? AND revision = ?",
            [status.phase, status.message.freeText, id, revision])
        if status.phase == "Running" {
            try db.run(
                "UPDATE agent_versions SET served_at = coalesce(served_at, ?) WHERE id = ? AND revision = ?",
                [time, id, revision])
            try db.run(
                "UPDATE resources SET serving_revision = ? WHERE workspace = ? AND kind = ? AND name = ?",
                [revision, event.workspace.text, status.kind.rawValue, status.name])
        }
        guard revision == newest else { return }
        try db.run(
            """
            UPDATE resources SET phase = ?, status_message = ?, probed_at = ?
            WHERE workspace = ? AND kind = ? AND name = ?
            """,
            [
                status.phase, status.message.freeText, time, event.workspace.text, status.kind.rawValue, status.name,
            ])
    }
}
