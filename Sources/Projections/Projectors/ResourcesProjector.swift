import Domain
import EventStore
import GRDB

/// Agents, tools, policies, model providers and identity providers, by name.
enum ResourcesProjector {
    static func apply(_ recorded: RecordedEvent, _ db: Database) throws {
        let event = recorded.event
        let time = event.time.microseconds
        if case .resourceStored(let stored) = event.payload {
            try db.run(
                """
                INSERT INTO resources (workspace, kind, name, id, revision, document, created_at, updated_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT DO UPDATE SET id = excluded.id, revision = excluded.revision,
                    document = excluded.document, updated_at = excluded.updated_at
                """,
                [
                    event.workspace.text, stored.kind.rawValue, stored.name, ResourceID(event.stream.id).column,
                    Int64(stored.revision), stored.document.text, time, time,
                ])
            if stored.kind == .agent { try KeptBudgets.replace(stored.name, event.workspace, db) }
        } else if case .resourceDeleted(let deleted) = event.payload {
            if deleted.kind == .agent { try KeptBudgets.keep(deleted.name, event.workspace, db) }
            try db.run(
                "DELETE FROM resources WHERE workspace = ? AND kind = ? AND name = ?",
                [event.workspace.text, deleted.kind.rawValue, deleted.name])
        } else if case .resourceStatusRecorded(let status) = event.payload, status.kind != .agent {
            try db.run(
                """
                UPDATE resources SET phase = ?, status_message = ?, probed_at = ?, latency_ms = ?
                WHERE workspace = ? AND kind = ? AND name = ?
                """,
                [
                    status.phase, status.message.freeText, time, Int64(clamping: status.latencyMilliseconds),
                    event.workspace.text,
                    status.kind.rawValue, status.name,
                ])
        }
    }
}
