package import EventLog
package import EventStore

/// The RFC 6962 tree over all records of the log, grown as asked and kept in tiles: any hash of it is a few reads away,
/// however long the log is.
///
/// In memory are the newest tile of each level, which is not full, and those of the others that were used last, all with
/// their inner nodes: a proof looks hashes up and computes next to none. Everything on the disk can be deleted: it is
/// made again from the log.
package actor TileTree {
    /// How much of the log is read at once.
    private static let readBytesMax = 1024 * 1024

    private let log: any LogBackend
    private let files: TileFiles
    /// The tree that the log itself found when it was opened: what tiles of an earlier run have to agree with.
    private let anchor: MerkleFrontier
    /// Each level's newest tile.
    private var newest: [Tile] = []
    private var fullTiles: [UInt64] = []
    private var cache: TileCache
    /// The right edge of the tree that was last asked about, which is in each of its proofs: by where a hash begins.
    private var edge: (size: UInt64, hashes: [UInt64: [UInt8]]) = (0, [:])
    private var isChecked = false

    /// - Parameters:
    ///   - directory: where the tiles are; made when there is one to write.
    ///   - anchor: the tree of the records that the log had when it was opened.
    ///   - cachedTilesMax: how many full tiles are kept in memory; by default what lies in 16 MiB.
    package init(log: any LogBackend, directory: String, anchor: MerkleFrontier, cachedTilesMax: Int? = nil) {
        self.log = log
        files = TileFiles(directory)
        self.anchor = anchor
        cache = cachedTilesMax.map { TileCache(tilesMax: $0) } ?? TileCache()
        (newest, fullTiles) = Self.load(files)
    }

    /// How many leaves the tree has.
    package var count: UInt64 { (fullTiles.first ?? 0) * UInt64(TilePath.width) + UInt64(newest.first?.count ?? 0) }

    /// Takes up every record that is durable now.
    ///
    /// - Throws: `AuditError` when the log cannot be read, or tiles cannot be written.
    @discardableResult
    package func grow() async throws(AuditError) -> UInt64 {
        let durable = await log.durablePosition
        try await checkTiles(durable)
        try await grow(to: durable)
        return count
    }

    /// The root of the tree of the first `size` records.
    package func root(of size: UInt64) async throws(AuditError) -> [UInt8] {
        size == 0 ? MerkleHash.ofNothing : try await hash(of: 0..<size)
    }

    /// The hashes that prove leaf `index` to be in the tree of `size` leaves.
    package func inclusionProof(of index: UInt64, in size: UInt64) async throws(AuditError) -> [[UInt8]] {
        try await hashes(of: MerkleProof.inclusion(of: index, in: size))
    }

    /// The same for many leaves at once: those of leaves that are close to each other are nearly the same.
    package func inclusionProofs(of indexes: [UInt64], in size: UInt64) async throws(AuditError) -> [[[UInt8]]] {
        var proofs: [[[UInt8]]] = []
        for index in indexes { proofs.append(try await inclusionProof(of: index, in: size)) }
        return proofs
    }

    /// The hashes that prove that the tree of `size` leaves begins with that of `old`.
    package func consistencyProof(from old: UInt64, to size: UInt64) async throws(AuditError) -> [[UInt8]] {
        try await hashes(of: MerkleProof.consistency(from: old, to: size))
    }

    /// The hashes of a tile, one after the other; `nil` when the tree has not so many.
    package func tile(_ path: TilePath) async throws(AuditError) -> [UInt8]? {
        guard path.level < newest.count else { return nil }
        if path.index == fullTiles[path.level] {
            guard path.count <= newest[path.level].count else { return nil }
            return Array(newest[path.level].bytes.prefix(path.count * MerkleHash.byteCount))
        }
        guard path.index < fullTiles[path.level] else { return nil }
        return Array(try await fullTile(path.level, path.index).bytes.prefix(path.count * MerkleHash.byteCount))
    }

    private func hashes(of ranges: [Range<UInt64>]) async throws(AuditError) -> [[UInt8]] {
        var hashes: [[UInt8]] = []
        hashes.reserveCapacity(ranges.count)
        for range in ranges { hashes.append(try await hash(of: range)) }
        return hashes
    }

    /// The hash of the leaves of `range`, which begins where a subtree of its size does.
    private func hash(of range: Range<UInt64>) async throws(AuditError) -> [UInt8] {
        var (start, rest) = (range.lowerBound, range.upperBound - range.lowerBound)
        if rest.nonzeroBitCount == 1 {
            return try await subtree(height: rest.trailingZeroBitCount, index: start / rest)
        }
        if edge.size == range.upperBound, let known = edge.hashes[start] { return known }
        // Complete subtrees, the largest first, are put together from the right.
        var parts: [[UInt8]] = []
        while rest > 0 {
            let height = 63 - rest.leadingZeroBitCount
            parts.append(try await subtree(height: height, index: start >> UInt64(height)))
            start += 1 << UInt64(height)
            rest -= 1 << UInt64(height)
        }
        guard var node = parts.popLast() else { return MerkleHash.ofNothing }
        while let left = parts.popLast() { node = MerkleHash.node(left, node) }
        if edge.size != range.upperBound { edge = (range.upperBound, [:]) }
        edge.hashes[range.lowerBound] = node
        return node
    }

    /// The hash of the complete subtree of 2^height leaves, the `index`th of its height.
    private func subtree(height: Int, index: UInt64) async throws(AuditError) -> [UInt8] {
        let (level, within) = (height / Tile.height, height % Tile.height)
        let perTile = UInt64(TilePath.width >> within)
        let (tileIndex, offset) = (index / perTile, Int(index % perTile))
        if tileIndex == fullTiles[level] { return newest[level].hash(height: within, offset) }
        if let known = cache[TilePath(level: level, index: tileIndex)] { return known.hash(height: within, offset) }
        return try await fullTile(level, tileIndex).hash(height: within, offset)
    }

    /// A tile that is full: from memory, the disk, or, when it is missing there or damaged, made again.
    private func fullTile(_ level: Int, _ index: UInt64) async throws(AuditError) -> Tile {
        let path = TilePath(level: level, index: index)
        if let known = cache[path] { return known }
        var tile: Tile
        if let bytes = files.read(level: level, index: index) {
            tile = Tile(bytes)
            if let parent = try await hashAbove(path), tile.root != parent { tile = try await remake(path) }
        } else {
            tile = try await remake(path)
        }
        cache.insert(tile, at: path)
        return tile
    }

    /// What the tile above says of this one.
    private func hashAbove(_ path: TilePath) async throws(AuditError) -> [UInt8]? {
        let level = path.level + 1
        guard level < newest.count else { return nil }
        let (index, offset) = (path.index / UInt64(TilePath.width), Int(path.index % UInt64(TilePath.width)))
        if index == fullTiles[level] { return newest[level].hash(height: 0, offset) }
        return try await fullTile(level, index).hash(height: 0, offset)
    }

    private func remake(_ path: TilePath) async throws(AuditError) -> Tile {
        var tile = Tile()
        let first = path.index * UInt64(TilePath.width)
        if path.level == 0 {
            while !tile.isFull {
                let records = try await read(first + UInt64(tile.count) + 1)
                for record in records.prefix(TilePath.width - tile.count) { tile.append(record.leafHash) }
            }
        } else {
            for index in first..<first + UInt64(TilePath.width) {
                tile.append(try await fullTile(path.level - 1, index).root)
            }
        }
        try write(path, tile)
        return tile
    }

    private func grow(to durable: UInt64) async throws(AuditError) {
        while count < durable {
            let next = count + 1
            let records = try await read(next)
            // Somebody else may have taken them up meanwhile.
            guard count + 1 == next else { continue }
            for record in records.prefix(Int(clamping: durable - count)) {
                try append(record.leafHash)
            }
        }
    }

    /// Tiles that the leaf fills are written before anything changes here: a disk that is full leaves the tree as it was.
    private func append(_ leaf: [UInt8]) throws(AuditError) {
        var (hash, level) = (leaf, 0)
        while level < newest.count, newest[level].count == TilePath.width - 1 {
            var tile = newest[level]
            tile.append(hash)
            try write(TilePath(level: level, index: fullTiles[level]), tile)
            hash = tile.root
            level += 1
        }
        for filled in 0..<level {
            newest[filled] = Tile()
            fullTiles[filled] += 1
        }
        if level == newest.count {
            newest.append(Tile())
            fullTiles.append(0)
        }
        newest[level].append(hash)
    }

    /// Once: tiles that an earlier run left count only when they are the log's; else all are made again.
    private func checkTiles(_ durable: UInt64) async throws(AuditError) {
        guard !isChecked else { return }
        if count <= anchor.count {
            try await grow(to: anchor.count)
            if try await root(of: anchor.count) == anchor.root {
                isChecked = true
                return
            }
        }
        guard !isChecked else { return }
        do {
            try files.removeAll()
        } catch {
            throw .tilesUnwritable("\(error)")
        }
        (newest, fullTiles, edge) = ([], [], (0, [:]))
        cache.removeAll()
        try await grow(to: anchor.count)
        guard try await root(of: anchor.count) == anchor.root else {
            throw .logUnreadable("its records do not have the tree head that it was opened with")
        }
        isChecked = true
    }

    private func read(_ position: UInt64) async throws(AuditError) -> [LogRecord] {
        let records: [LogRecord]
        do {
            records = try await log.read(from: position, bytesMax: Self.readBytesMax)
        } catch {
            throw .logUnreadable(error.description)
        }
        guard !records.isEmpty else { throw .logUnreadable("position \(position) is missing") }
        return records
    }

    private func write(_ path: TilePath, _ tile: Tile) throws(AuditError) {
        do {
            try files.write(level: path.level, index: path.index, tile.bytes)
        } catch {
            throw .tilesUnwritable("\(error)")
        }
    }

    /// What an earlier run has left, as far as it is whole.
    private static func load(_ files: TileFiles) -> (newest: [Tile], fullTiles: [UInt64]) {
        var newest = [Tile()]
        var fullTiles = [files.count(level: 0)]
        while let below = fullTiles.last, below > 0 {
            let first = below / UInt64(TilePath.width) * UInt64(TilePath.width)
            let level = fullTiles.count - 1
            var roots = Tile()
            for index in first..<below {
                guard let bytes = files.read(level: level, index: index) else { return ([], []) }
                roots.append(Tile(bytes).root)
            }
            newest.append(roots)
            fullTiles.append(below / UInt64(TilePath.width))
        }
        return (newest, fullTiles)
    }
}
