import Domain
import EventStore
import GRDB

/// Resources, secrets and keys, by the API keys that created or changed them: what is to be looked at once a key leaked.
enum MadeByKeysProjector {
    private static let keyKind = "api_key"
    private static let secretKind = "secret"

    static func apply(_ recorded: RecordedEvent, _ db: Database) throws {
        switch recorded.event.payload {
        case .resourceStored(let stored):
            try note(stored.kind.singular, stored.name, isNew: stored.revision == 1, recorded, db)
        case .resourceDeleted(let deleted): try remove(deleted.kind.singular, deleted.name, recorded, db)
        case .secretStored(let stored):
            try note(
                secretKind, name(stored.kind, stored.owner, stored.name), isNew: recorded.event.streamSequence == 1,
                recorded, db)
        case .secretDeleted(let deleted):
            try remove(secretKind, name(deleted.kind, deleted.owner, deleted.name), recorded, db)
        case .apiKeyCreated: try note(keyKind, recorded.event.stream.id.text, isNew: true, recorded, db)
        case .apiKeyRotated: try note(keyKind, recorded.event.stream.id.text, isNew: false, recorded, db)
        case .apiKeyRevoked: try remove(keyKind, recorded.event.stream.id.text, recorded, db)
        default: break
        }
    }

    private static func name(_ kind: ResourceKind, _ owner: String, _ name: String) -> String {
        "\(kind.singular)/\(owner)/\(name)"
    }

    private static func note(
        _ kind: String, _ name: String, isNew: Bool, _ recorded: RecordedEvent, _ db: Database
    ) throws {
        guard let key = recorded.event.actor.apiKeyID else { return }
        try db.run(
            """
            INSERT INTO made_by_keys (workspace, kind, name, key_id, created, time, position) VALUES (?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT DO UPDATE SET created = max(created, excluded.created), time = excluded.time,
                position = excluded.position
            """,
            [
                recorded.event.workspace.text, kind, name, key.column, isNew, recorded.event.time.microseconds,
                Int64(recorded.position.value),
            ])
    }

    private static func remove(_ kind: String, _ name: String, _ recorded: RecordedEvent, _ db: Database) throws {
        try db.run(
            "DELETE FROM made_by_keys WHERE workspace = ? AND kind = ? AND name = ?",
            [recorded.event.workspace.text, kind, name])
    }
}

extension Actor {
    /// The key that a request was made with; `nil` for every other actor.
    var apiKeyID: APIKeyID? { if case .apiKey(let id) = kind { id } else { nil } }
}
