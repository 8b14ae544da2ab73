import Domain
import GRDB

/// The API keys by digest, in memory: every request asks for one.
struct APIKeyIndex {
    private var keys: [String: APIKeyRecord] = [:]
    private var digests: [APIKeyID: String] = [:]
    /// By the text before a rotation.
    private var previous: [String: APIKeyRecord] = [:]
    private var previousDigests: [APIKeyID: String] = [:]

    init() {}

    subscript(digest: String) -> APIKeyRecord? { keys[digest] ?? previous[digest] }

    /// Takes over what a batch made of some keys.
    mutating func update(_ changed: [Change]) {
        for change in changed {
            if let digest = digests.removeValue(forKey: change.id), keys[digest]?.id == change.id {
                keys[digest] = nil
            }
            if let digest = previousDigests.removeValue(forKey: change.id), previous[digest]?.id == change.id {
                previous[digest] = nil
            }
        }
        for record in changed.compactMap(\.record) {
            keys[record.digest] = record
            digests[record.id] = record.digest
            guard let digest = record.previousDigest else { continue }
            previous[digest] = record
            previousDigests[record.id] = digest
        }
    }

    /// A key as it is now; no record when it is revoked.
    struct Change {
        let id: APIKeyID
        let record: APIKeyRecord?

        init(_ record: APIKeyRecord) {
            id = record.id
            self.record = record
        }

        /// Reads the key's row.
        init(_ id: APIKeyID, _ db: Database) throws {
            self.id = id
            let statement = try db.cachedStatement(sql: "SELECT * FROM api_keys WHERE id = ?")
            record = try Row.fetchOne(statement, arguments: [id.column]).map(APIKeyRecord.init)
        }
    }
}
