package import Domain
import GRDB

/// Whose a text was that was an API key once.
package struct EndedAPIKeyRecord: Hashable, Sendable {
    package let id: APIKeyID
    package let workspace: WorkspaceName
    package let name: String
    package let role: Role
    /// Whether the key was revoked; else another text took this one's place.
    package let isRevoked: Bool

    init(_ row: Row) throws {
        id = try row.identifier("id")
        workspace = try row.workspace()
        name = try row.column("name")
        role = try row.value("role")
        isRevoked = try row.column("is_revoked")
    }
}

extension Projections {
    /// The key that the digest was of, until it was revoked or got another text. From the cached connection.
    package func endedAPIKey(digest: String) throws(ProjectionError) -> EndedAPIKeyRecord? {
        try lookUp { db in
            try db.first("SELECT * FROM ended_api_keys WHERE digest = ?", [digest], EndedAPIKeyRecord.init)
        }
    }
}
