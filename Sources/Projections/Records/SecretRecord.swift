package import Domain
import Foundation
import GRDB

/// A secret as readers see it: its name, and what only the keyring's key opens.
package struct SecretRecord: Hashable, Sendable {
    package let reference: SecretReference
    package let sealed: SealedSecret
    package let createdAt: Timestamp
    package let updatedAt: Timestamp

    init(_ row: Row) throws {
        let owner = ResourceKey(
            workspace: try row.workspace(), kind: try row.value("owner_kind"), name: row["owner"])
        reference = SecretReference(owner: owner, name: row["name"])
        sealed = SealedSecret(keyID: try row.identifier("key_id"), ciphertext: [UInt8](row["ciphertext"] as Data))
        createdAt = row.time("created_at")
        updatedAt = row.time("updated_at")
    }
}
