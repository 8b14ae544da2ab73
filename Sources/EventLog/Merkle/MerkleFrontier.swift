/// The right edge of an RFC 6962 Merkle tree: enough to add leaves and to tell the root, in O(log n) space.
///
/// One hash stands for each complete subtree, the largest first: their sizes are the bits of `count`.
package struct MerkleFrontier: Hashable, Sendable {
    package typealias Hash = [UInt8]

    /// The number of leaves.
    package private(set) var count: UInt64
    package private(set) var hashes: [Hash]

    package init() {
        count = 0
        hashes = []
    }

    /// Takes up a saved frontier; `nil` when the number of hashes does not fit the count.
    package init?(count: UInt64, hashes: [Hash]) {
        guard hashes.count == count.nonzeroBitCount, hashes.allSatisfy({ $0.count == MerkleHash.byteCount }) else {
            return nil
        }
        self.count = count
        self.hashes = hashes
    }

    /// Adds a record as the next leaf.
    package mutating func append(_ record: [UInt8]) { append(leafHash: MerkleHash.leaf(record)) }

    /// Adds a leaf of which the hash is known.
    package mutating func append(leafHash: Hash) {
        var node = leafHash
        var size = count
        while size & 1 == 1 {
            node = MerkleHash.node(hashes.removeLast(), node)
            size >>= 1
        }
        hashes.append(node)
        count += 1
    }

    /// The tree head of all leaves so far (RFC 6962, section 2.1).
    package var root: Hash {
        guard var node = hashes.last else { return MerkleHash.ofNothing }
        for left in hashes.dropLast().reversed() { node = MerkleHash.node(left, node) }
        return node
    }
}
