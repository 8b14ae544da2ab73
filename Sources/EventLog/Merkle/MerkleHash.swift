import Crypto

/// The hashes of an RFC 6962 Merkle tree (section 2.1): leaves and nodes cannot stand for each other.
package enum MerkleHash {
    package static let byteCount = 32

    /// The root of the tree without leaves.
    package static var ofNothing: [UInt8] { SHA256().digest() }

    /// SHA-256(0x00 || record).
    package static func leaf(_ record: [UInt8]) -> [UInt8] {
        var hasher = hasher(0)
        record.withUnsafeBytes { hasher.update(bufferPointer: $0) }
        return hasher.digest()
    }

    /// SHA-256(0x01 || left || right).
    package static func node(_ left: [UInt8], _ right: [UInt8]) -> [UInt8] {
        var hasher = hasher(1)
        left.withUnsafeBytes { hasher.update(bufferPointer: $0) }
        right.withUnsafeBytes { hasher.update(bufferPointer: $0) }
        return hasher.digest()
    }

    private static func hasher(_ prefix: UInt8) -> SHA256 {
        var hasher = SHA256()
        withUnsafeBytes(of: prefix) { hasher.update(bufferPointer: $0) }
        return hasher
    }
}

extension SHA256 {
    /// The bytes of the digest, copied at once: as a sequence they come one by one.
    fileprivate func digest() -> [UInt8] { finalize().withUnsafeBytes { [UInt8]($0) } }
}
