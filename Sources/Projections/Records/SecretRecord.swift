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
            workspace: try row.workspace(), kind: try row.value("owner_kind"), name: try row.column("owner"))
        reference = SecretReference(owner: owner, name: try row.column("name"))
        sealed = SealedSecret(
            keyID: try row.identifier("key_id"), ciphertext: [UInt8](try row.column("ciphertext") as Data))
        createdAt = try row.time("created_at")
        updatedAt = try row.time("updated_at")
    }
}
