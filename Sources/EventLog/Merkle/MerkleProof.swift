/// Proofs of an RFC 6962 Merkle tree: which subtrees they are made of, and what they prove.
package enum MerkleProof {
    /// The leaves under each hash of the proof that leaf `index` is in the tree of `size` leaves (RFC 6962, section
    /// 2.1.1), nearest to the leaf first.
    package static func inclusion(of index: UInt64, in size: UInt64) -> [Range<UInt64>] {
        precondition(index < size, "a leaf is in its tree")
        var (low, high) = (UInt64(0), size)
        var ranges: [Range<UInt64>] = []
        while high - low > 1 {
            let middle = low + largestPowerOfTwo(below: high - low)
            if index < middle {
                ranges.append(middle..<high)
                high = middle
            } else {
                ranges.append(low..<middle)
                low = middle
            }
        }
        return ranges.reversed()
    }

    /// The leaves under each hash of the proof that the tree of `size` leaves begins with that of `old` (RFC 6962,
    /// section 2.1.2).
    package static func consistency(from old: UInt64, to size: UInt64) -> [Range<UInt64>] {
        precondition(old <= size, "a tree only grows")
        guard old > 0, old < size else { return [] }
        var (low, high) = (UInt64(0), size)
        var ranges: [Range<UInt64>] = []
        while old != high {
            let middle = low + largestPowerOfTwo(below: high - low)
            if old <= middle {
                ranges.append(middle..<high)
                high = middle
            } else {
                ranges.append(low..<middle)
                low = middle
            }
        }
        // The old root itself need not be told when it is a whole subtree of both.
        if low > 0 { ranges.append(low..<high) }
        return ranges.reversed()
    }

    /// The root of the tree of `size` leaves in which the leaf's hash and that proof belong together (RFC 9162, section
    /// 2.1.3.2); `nil` when the proof is not as long as it has to be.
    package static func root(index: UInt64, size: UInt64, leafHash: [UInt8], proof: [[UInt8]]) -> [UInt8]? {
        guard index < size, proof.allSatisfy({ $0.count == MerkleHash.byteCount }) else { return nil }
        var (node, last) = (index, size - 1)
        var hash = leafHash
        for sibling in proof {
            guard last > 0 else { return nil }
            if node & 1 == 1 || node == last {
                hash = MerkleHash.node(sibling, hash)
                while node & 1 == 0, node > 0 {
                    node >>= 1
                    last >>= 1
                }
            } else {
                hash = MerkleHash.node(hash, sibling)
            }
            node >>= 1
            last >>= 1
        }
        return last == 0 ? hash : nil
    }

    /// Whether the proof shows that the tree of `size` leaves with the root `root` begins with that of `oldSize` leaves
    /// and `oldRoot` (RFC 9162, section 2.1.4.2).
    package static func isConsistent(
        oldSize: UInt64, oldRoot: [UInt8], size: UInt64, root: [UInt8], proof: [[UInt8]]
    ) -> Bool {
        guard oldSize <= size, proof.allSatisfy({ $0.count == MerkleHash.byteCount }) else { return false }
        if oldSize == size { return proof.isEmpty && oldRoot == root }
        if oldSize == 0 { return proof.isEmpty && oldRoot == MerkleHash.ofNothing }
        var path = proof[...]
        if oldSize & (oldSize - 1) == 0 { path = [oldRoot] + path }
        guard let first = path.popFirst() else { return false }
        var (node, last) = (oldSize - 1, size - 1)
        while node & 1 == 1 {
            node >>= 1
            last >>= 1
        }
        var (oldHash, hash) = (first, first)
        for sibling in path {
            guard last > 0 else { return false }
            if node & 1 == 1 || node == last {
                oldHash = MerkleHash.node(sibling, oldHash)
                hash = MerkleHash.node(sibling, hash)
                while node & 1 == 0, node > 0 {
                    node >>= 1
                    last >>= 1
                }
            } else {
                hash = MerkleHash.node(hash, sibling)
            }
            node >>= 1
            last >>= 1
        }
        return last == 0 && oldHash == oldRoot && hash == root
    }

    /// Where a tree of that many leaves is split; `count` is at least 2.
    private static func largestPowerOfTwo(below count: UInt64) -> UInt64 {
        1 << (63 - UInt64((count - 1).leadingZeroBitCount))
    }
}
