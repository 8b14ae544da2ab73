import Audit
import EventLog
import EventStore
import Foundation
import TestSupport
import Testing

/// The tree of tiles beside one that is computed as RFC 6962 defines it.
@Suite struct TreeTests {
    /// MTH of RFC 6962, section 2.1, word for word.
    static func root(_ records: ArraySlice<[UInt8]>) -> [UInt8] {
        guard let first = records.first else { return MerkleHash.ofNothing }
        guard records.count > 1 else { return MerkleHash.leaf(first) }
        var half = 1
        while half * 2 < records.count { half *= 2 }
        let middle = records.startIndex + half
        return MerkleHash.node(root(records[..<middle]), root(records[middle...]))
    }

    static func records(_ count: Int, seed: UInt64 = 1) -> [[UInt8]] {
        var random = SeededRandom(seed: seed)
        return (0..<count).map { index in
            (0..<Int.random(in: 0...40, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
                + Array("\(index)".utf8)
        }
    }

    static func frontier(_ records: some Sequence<[UInt8]>) -> MerkleFrontier {
        var frontier = MerkleFrontier()
        for record in records { frontier.append(record) }
        return frontier
    }

    static func grown(_ records: [[UInt8]], in directory: String) async throws -> (TileTree, InMemoryLogBackend) {
        let log = InMemoryLogBackend()
        for start in stride(from: 0, to: records.count, by: 500) {
            _ = try await log.append(Array(records[start..<min(start + 500, records.count)]))
        }
        let tree = TileTree(log: log, directory: directory, anchor: frontier(records))
        try await tree.grow()
        return (tree, log)
    }

    /// The vectors that Certificate Transparency's reference implementation tests with.
    @Test func theRootsAreThoseOfTheReferenceImplementation() {
        let leaves: [[UInt8]] = [
            [], [0], [0x10], [0x20, 0x21], [0x30, 0x31], [0x40, 0x41, 0x42, 0x43],
            [0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
            [0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f],
        ]
        let roots = [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ]
        for (count, root) in roots.enumerated() {
            let hex = Self.frontier(leaves[...count]).root.map { String(format: "%02x", $0) }.joined()
            #expect(hex == root)
        }
    }

    @Test func everyProofOfSmallTreesLeadsToTheRootAndToNoOther() async throws {
        try await withDirectory { directory in
            let records = Self.records(70)
            let (tree, _) = try await Self.grown(records, in: directory)
            for size in 1...records.count {
                let root = Self.root(records[..<size])
                #expect(try await tree.root(of: UInt64(size)) == root)
                for index in 0..<size {
                    var proof = try await tree.inclusionProof(of: UInt64(index), in: UInt64(size))
                    let leaf = MerkleHash.leaf(records[index])
                    func shown(_ index: Int, _ leaf: [UInt8], _ proof: [[UInt8]]) -> [UInt8]? {
                        MerkleProof.root(index: UInt64(index), size: UInt64(size), leafHash: leaf, proof: proof)
                    }
                    #expect(shown(index, leaf, proof) == root)
                    #expect(shown(index, MerkleHash.leaf(records[index] + [0]), proof) != root)
                    if size > 1 { #expect(shown((index + 1) % size, leaf, proof) != root) }
                    #expect(shown(index, leaf, proof + [leaf]) != root)
                    guard !proof.isEmpty else { continue }
                    #expect(shown(index, leaf, proof.dropLast()) != root)
                    proof[size % proof.count][7] ^= 1
                    #expect(shown(index, leaf, proof) != root)
                }
            }
        }
    }

    @Test func everyConsistencyProofOfSmallTreesHoldsAndForNoOtherHistory() async throws {
        try await withDirectory { directory in
            let records = Self.records(45)
            let (tree, _) = try await Self.grown(records, in: directory)
            var changed = records
            changed[3].append(1)
            for size in 1...records.count {
                let root = Self.root(records[..<size])
                for old in 0...size {
                    let proof = try await tree.consistencyProof(from: UInt64(old), to: UInt64(size))
                    func holds(_ oldRoot: [UInt8], _ proof: [[UInt8]]) -> Bool {
                        MerkleProof.isConsistent(
                            oldSize: UInt64(old), oldRoot: oldRoot, size: UInt64(size), root: root, proof: proof)
                    }
                    #expect(holds(Self.root(records[..<old]), proof))
                    if old > 3 { #expect(!holds(Self.root(changed[..<old]), proof)) }
                    #expect(!holds(Self.root(records[..<old]), proof + [root]))
                    if !proof.isEmpty { #expect(!holds(Self.root(records[..<old]), proof.dropLast())) }
                }
            }
        }
    }

    @Test func aLargeTreeIsTheSameFromTilesThatWereLeftBehind() async throws {
        try await withDirectory { directory in
            let records = Self.records(66_500)
            let (tree, log) = try await Self.grown(records, in: directory)
            let sizes: [UInt64] = [1, 255, 256, 257, 65_535, 65_536, 65_537, 66_500]
            var roots: [[UInt8]] = []
            for size in sizes { roots.append(try await tree.root(of: size)) }
            #expect(roots == sizes.map { Self.root(records[..<Int($0)]) })
            let next = TileTree(log: log, directory: directory, anchor: Self.frontier(records))
            #expect(await next.count == 66_304, "what is in full tiles need not be read again")
            try await next.grow()
            for (size, root) in zip(sizes, roots) { #expect(try await next.root(of: size) == root) }
        }
    }

    @Test(arguments: ["deleted", "cut", "changed", "of another log"])
    func tilesThatAreNotTheLogsAreMadeAgain(_ damage: String) async throws {
        try await withDirectory { directory in
            let records = Self.records(66_000)
            let (_, log) = try await Self.grown(records, in: directory)
            let tile = directory + "/0/003"
            switch damage {
            case "deleted": try FileManager.default.removeItem(atPath: tile)
            case "cut": try Data(count: 100).write(to: URL(fileURLWithPath: tile))
            case "changed":
                var bytes = try Data(contentsOf: URL(fileURLWithPath: tile))
                bytes[9] ^= 1
                try bytes.write(to: URL(fileURLWithPath: tile))
            default:
                try FileManager.default.removeItem(atPath: directory)
                _ = try await Self.grown(Self.records(67_000, seed: 2), in: directory)
            }
            let tree = TileTree(log: log, directory: directory, anchor: Self.frontier(records))
            try await tree.grow()
            #expect(try await tree.root(of: 66_000) == Self.root(records[...]))
            let proof = try await tree.inclusionProof(of: 800, in: 66_000)
            #expect(
                MerkleProof.root(index: 800, size: 66_000, leafHash: MerkleHash.leaf(records[800]), proof: proof)
                    == Self.root(records[...]))
        }
    }

    /// With every cache from nearly none to one that holds all, and while the tree grows across the borders of tiles:
    /// a hash that was kept must never be that of another tree.
    @Test(arguments: [1, 2, 8, 1_000])
    func whatIsKeptChangesNoProof(cachedTilesMax: Int) async throws {
        try await withDirectory { directory in
            let records = Self.records(1_300)
            let log = InMemoryLogBackend()
            let tree = TileTree(
                log: log, directory: directory, anchor: MerkleFrontier(), cachedTilesMax: cachedTilesMax)
            var random = SeededRandom(seed: UInt64(cachedTilesMax))
            let sizes = [1, 2, 255, 256, 257, 511, 512, 513, 600, 767, 768, 769, 1_023, 1_024, 1_025, 1_300]
            var roots: [Int: [UInt8]] = [:]
            for (before, size) in zip([0] + sizes, sizes) {
                _ = try await log.append(Array(records[before..<size]))
                try await tree.grow()
                roots[size] = Self.root(records[..<size])
                // Older trees are asked about between questions about the newest.
                for asked in [size, sizes.prefix { $0 <= size }.randomElement(using: &random) ?? size, size] {
                    let borders = [0, 254, 255, 256, 257, 511, 512, 768, 1_023, 1_024, asked - 1]
                    let indexes = (borders + (0..<8).map { _ in Int.random(in: 0..<asked, using: &random) })
                        .filter { $0 < asked }
                    let proofs = try await tree.inclusionProofs(of: indexes.map(UInt64.init), in: UInt64(asked))
                    for (index, proof) in zip(indexes, proofs) {
                        #expect(
                            MerkleProof.root(
                                index: UInt64(index), size: UInt64(asked),
                                leafHash: MerkleHash.leaf(records[index]), proof: proof) == roots[asked],
                            "leaf \(index) of \(asked)")
                    }
                    #expect(try await tree.root(of: UInt64(asked)) == roots[asked])
                    let old = Int.random(in: 1...asked, using: &random)
                    #expect(
                        MerkleProof.isConsistent(
                            oldSize: UInt64(old), oldRoot: Self.root(records[..<old]), size: UInt64(asked),
                            root: roots[asked] ?? [],
                            proof: try await tree.consistencyProof(from: UInt64(old), to: UInt64(asked))))
                }
            }
        }
    }

    @Test func aTileHasTheHashesOfItsLevel() async throws {
        try await withDirectory { directory in
            let records = Self.records(600)
            let (tree, _) = try await Self.grown(records, in: directory)
            let leaves = records.map(MerkleHash.leaf)
            #expect(try await tree.tile(TilePath(level: 0, index: 1)) == Array(leaves[256..<512].joined()))
            #expect(try await tree.tile(TilePath(level: 0, index: 2, count: 88)) == Array(leaves[512...].joined()))
            #expect(try await tree.tile(TilePath(level: 0, index: 0, count: 3)) == Array(leaves[..<3].joined()))
            #expect(
                try await tree.tile(TilePath(level: 1, index: 0, count: 2))
                    == Self.root(records[..<256]) + Self.root(records[256..<512]))
            for missing in [
                TilePath(level: 0, index: 2), TilePath(level: 0, index: 2, count: 89), TilePath(level: 0, index: 3),
                TilePath(level: 1, index: 0), TilePath(level: 2, index: 0, count: 1), TilePath(level: 7, index: 9),
            ] {
                #expect(try await tree.tile(missing) == nil)
            }
        }
    }

    @Test func manyWhoAskAtOnceGrowOneTree() async throws {
        try await withDirectory { directory in
            let records = Self.records(3000)
            let log = InMemoryLogBackend()
            let tree = TileTree(log: log, directory: directory, anchor: MerkleFrontier())
            try await withThrowingTaskGroup { group in
                for start in stride(from: 0, to: 3000, by: 100) {
                    _ = try await log.append(Array(records[start..<start + 100]))
                    for _ in 0..<4 { group.addTask { try await tree.grow() } }
                }
                try await group.waitForAll()
            }
            #expect(try await tree.root(of: 3000) == Self.root(records[...]))
        }
    }

    @Test func aDiskThatIsFullForAWhileLeavesTheTreeRight() async throws {
        try await withDirectory { directory in
            let records = Self.records(700)
            let log = InMemoryLogBackend(records: records)
            // A file is where the tiles' directory has to be.
            let place = directory + "/tile"
            #expect(FileManager.default.createFile(atPath: place, contents: Data()))
            let tree = TileTree(log: log, directory: place, anchor: MerkleFrontier())
            for _ in 0..<3 { await #expect(throws: AuditError.self) { try await tree.grow() } }
            #expect(await tree.count == 255)
            try FileManager.default.removeItem(atPath: place)
            try await tree.grow()
            #expect(try await tree.root(of: 700) == Self.root(records[...]))
        }
    }
}
