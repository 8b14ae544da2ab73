import Domain
import EventStore
import Foundation
import GRDB

/// Secrets by owner and name, sealed; what is deleted is gone from here too.
enum SecretsProjector {
    static func apply(_ recorded: RecordedEvent, _ db: Database) throws {
        let event = recorded.event
        let time = event.time.microseconds
        if case .secretStored(let stored) = event.payload {
            try db.run(
                """
                INSERT INTO secrets (workspace, owner_kind, owner, name, key_id, ciphertext, created_at, updated_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT DO UPDATE SET key_id = excluded.key_id, ciphertext = excluded.ciphertext,
                    updated_at = excluded.updated_at
                """,
                [
                    event.workspace.text, stored.kind.rawValue, stored.owner, stored.name, stored.sealed.keyID.column,
                    Data(stored.sealed.ciphertext), time, time,
                ])
        } else if case .secretDeleted(let deleted) = event.payload {
            try db.run(
                "DELETE FROM secrets WHERE workspace = ? AND owner_kind = ? AND owner = ? AND name = ?",
                [event.workspace.text, deleted.kind.rawValue, deleted.owner, deleted.name])
        }
    }
}
