import Domain
import EventStore
import GRDB

/// API keys that are not revoked, and the digests of texts that were keys once; never the keys themselves.
enum APIKeysProjector {
    static func apply(_ recorded: RecordedEvent, _ id: APIKeyID, _ db: Database) throws {
        if case .apiKeyCreated(let created) = recorded.event.payload {
            try db.run(
                """
                INSERT INTO api_keys (
                    id, workspace, name, role, digest, prefix, last4, expires_at, created_at, position, group_names, agent,
                    only_groups
                ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
                [
                    id.column, recorded.event.workspace.text, created.name, created.role.rawValue, created.digest,
                    created.prefix, created.last4, created.expiresAt?.microseconds,
                    recorded.event.time.microseconds, Int64(recorded.position.value),
                    created.groups.joined(separator: "\n"), created.agent, created.onlyGroups,
                ])
        } else if case .apiKeyRotated(let rotated) = recorded.event.payload {
            try end(id, isRevoked: false, db)
            try db.run(
                """
                UPDATE api_keys SET previous_digest = CASE WHEN ? IS NULL THEN NULL ELSE digest END, previous_until = ?,
                    digest = ?, prefix = ?, last4 = ?, expires_at = ?
                WHERE id = ?
                """,
                [
                    rotated.previousUntil?.microseconds, rotated.previousUntil?.microseconds, rotated.digest,
                    rotated.prefix, rotated.last4, rotated.expiresAt?.microseconds, id.column,
                ])
        } else if case .apiKeyRevoked = recorded.event.payload {
            try end(id, isRevoked: true, db)
            try db.run("DELETE FROM api_keys WHERE id = ?", [id.column])
        }
    }

    /// Keeps whose the text was, so that it is known when somebody still uses it.
    private static func end(_ id: APIKeyID, isRevoked: Bool, _ db: Database) throws {
        try db.run(
            """
            INSERT OR REPLACE INTO ended_api_keys (digest, id, workspace, name, role, is_revoked)
            SELECT digest, id, workspace, name, role, ? FROM api_keys WHERE id = ?
            """, [isRevoked, id.column])
    }
}
