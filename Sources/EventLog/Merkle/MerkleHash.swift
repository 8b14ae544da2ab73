import Crypto

/// The hashes of an RFC 6962 Merkle tree (section 2.1): leaves and nodes cannot stand for each other.
package enum MerkleHash {
    package static let byteCount = 32

    /// The root of the tree without leaves.
    package static var ofNothing: [UInt8] { Array(SHA256.hash(data: [UInt8]())) }

    /// SHA-256(0x00 || record).
    package static func leaf(_ record: [UInt8]) -> [UInt8] { hash(0, record, []) }

    /// SHA-256(0x01 || left || right).
    package static func node(_ left: [UInt8], _ right: [UInt8]) -> [UInt8] { hash(1, left, right) }

    private static func hash(_ prefix: UInt8, _ left: [UInt8], _ right: [UInt8]) -> [UInt8] {
        var hasher = SHA256()
        hasher.update(data: [prefix])
        hasher.update(data: left)
        if !right.isEmpty { hasher.update(data: right) }
        return Array(hasher.finalize())
    }
}
