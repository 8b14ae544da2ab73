import Domain
import EventStore
import GRDB

/// Agents, tools, policies and model providers, by name.
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
        } else if case .resourceDeleted(let deleted) = event.payload {
            try db.run(
                "DELETE FROM resources WHERE workspace = ? AND kind = ? AND name = ?",
                [event.workspace.text, deleted.kind.rawValue, deleted.name])
        } else if case .resourceStatusRecorded(let status) = event.payload {
            try db.run(
                """
                UPDATE resources SET phase = ?, status_message = ?, probed_at = ?, latency_ms = ?
                WHERE workspace = ? AND kind = ? AND name = ?
                """,
                [
                    status.phase, status.message, time, Int64(status.latencyMilliseconds), event.workspace.text,
                    status.kind.rawValue, status.name,
                ])
        }
    }
}

/// API keys that are not revoked; never the keys themselves.
enum APIKeysProjector {
    static func apply(_ recorded: RecordedEvent, _ id: APIKeyID, _ db: Database) throws {
        if case .apiKeyCreated(let created) = recorded.event.payload {
            try db.run(
                """
                INSERT INTO api_keys (id, workspace, name, role, digest, prefix, last4, expires_at, created_at, position)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
                [
                    id.column, recorded.event.workspace.text, created.name, created.role.rawValue, created.digest,
                    created.prefix, created.last4, created.expiresAt?.microseconds,
                    recorded.event.time.microseconds, Int64(recorded.position.value),
                ])
        } else if case .apiKeyRevoked = recorded.event.payload {
            try db.run("DELETE FROM api_keys WHERE id = ?", [id.column])
        }
    }
}
