import EventLog

/// The hashes of a tile, up to 256 of one level, and of every complete subtree over them, each computed once.
struct Tile: Sendable {
    /// How high the tree over a full tile is.
    static let height = 8
    /// What a full one takes: 511 hashes.
    static let byteCountMax = (2 * TilePath.width - 1) * MerkleHash.byteCount

    /// One after the other, the hashes of the subtrees of 2^n of the tile's own: `rows[0]` are the tile's own.
    private var rows: [[UInt8]] = [[]]

    init() {}

    /// Hashes, one after the other, that a tile may have.
    init(_ bytes: [UInt8]) {
        for start in stride(from: 0, to: bytes.count, by: MerkleHash.byteCount) {
            append(Array(bytes[start..<start + MerkleHash.byteCount]))
        }
    }

    /// How many hashes it has of its own.
    var count: Int { rows[0].count / MerkleHash.byteCount }

    var isFull: Bool { count == TilePath.width }

    /// The hashes of its own, one after the other.
    var bytes: [UInt8] { rows[0] }

    /// The hash over all of a full tile.
    var root: [UInt8] { hash(height: Self.height, 0) }

    /// The hash of the `index`th complete subtree of 2^height of the tile's own.
    func hash(height: Int, _ index: Int) -> [UInt8] {
        Array(rows[height][index * MerkleHash.byteCount..<(index + 1) * MerkleHash.byteCount])
    }

    mutating func append(_ hash: [UInt8]) {
        var (node, row) = (hash, 0)
        rows[0] += node
        while rows[row].count % (2 * MerkleHash.byteCount) == 0 {
            let last = rows[row].count / MerkleHash.byteCount - 1
            node = MerkleHash.node(self.hash(height: row, last - 1), node)
            row += 1
            if row == rows.count { rows.append([]) }
            rows[row] += node
        }
    }
}
