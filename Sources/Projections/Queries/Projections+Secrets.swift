package import Domain
import GRDB

extension Projections {
    /// An owner's secrets, by name. From the cached connection: calls of tools ask for them.
    package func secrets(of owner: ResourceKey) throws(ProjectionError) -> [SecretRecord] {
        try lookUp { db in
            let statement = try db.cachedStatement(
                sql: "SELECT * FROM secrets WHERE workspace = ? AND owner_kind = ? AND owner = ? ORDER BY name")
            return try Row.fetchAll(
                statement, arguments: [owner.workspace.text, owner.kind.rawValue, owner.name]
            ).map(SecretRecord.init)
        }
    }

    /// The workspace's secrets by owner and name; of one kind of owner when one is given.
    package func secrets(
        ofKind kind: ResourceKind? = nil, in workspace: WorkspaceName
    ) async throws(ProjectionError) -> [SecretRecord] {
        try await query { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT * FROM secrets WHERE workspace = ? AND owner_kind = coalesce(?, owner_kind)
                    ORDER BY owner_kind, owner, name
                    """,
                arguments: [workspace.text, kind?.rawValue]
            ).map(SecretRecord.init)
        }
    }
}
