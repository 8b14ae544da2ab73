package import Domain
import GRDB

extension Projections {
    /// An owner's secrets, by name. From the cached connection: calls of tools ask for them.
    ///
    /// - Parameter prefix: names that begin with it are left out.
    package func secrets(
        of owner: ResourceKey, except prefix: String? = nil
    ) throws(ProjectionError) -> [SecretRecord] {
        try lookUp { db in
            let statement = try db.cachedStatement(
                sql: """
                    SELECT * FROM secrets WHERE workspace = ? AND owner_kind = ? AND owner = ?
                        AND (? IS NULL OR substr(name, 1, length(?)) <> ?)
                    ORDER BY name
                    """)
            return try Row.fetchAll(
                statement,
                arguments: [owner.workspace.text, owner.kind.rawValue, owner.name, prefix, prefix, prefix]
            ).map(SecretRecord.init)
        }
    }

    /// One secret.
    package func secret(_ reference: SecretReference) throws(ProjectionError) -> SecretRecord? {
        let owner = reference.owner
        return try lookUp { db in
            try db.first(
                "SELECT * FROM secrets WHERE workspace = ? AND owner_kind = ? AND owner = ? AND name = ?",
                [owner.workspace.text, owner.kind.rawValue, owner.name, reference.name], SecretRecord.init)
        }
    }

    /// The workspace's secrets by owner and name; of one kind of owner when one is given.
    package func secrets(
        ofKind kind: ResourceKind? = nil, in workspace: WorkspaceName
    ) async throws(ProjectionError) -> [SecretRecord] {
        var conditions = SQLConditions()
        conditions.add("workspace = ?", [workspace.text])
        conditions.add("owner_kind = ?", ifPresent: kind?.rawValue)
        let (condition, arguments) = (conditions.joined, conditions.arguments)
        return try await query { db in
            try Row.fetchAll(
                db, sql: "SELECT * FROM secrets WHERE \(condition) ORDER BY owner_kind, owner, name",
                arguments: arguments
            ).map(SecretRecord.init)
        }
    }
}
