import Crypto
import EventLog
import TestSupport
import Testing

/// The building blocks against published vectors, and against naive twins.
@Suite struct PrimitivesTests {
    /// RFC 3720, appendix B.4, and the check value of the CRC catalogue.
    private static let checksums: [([UInt8], UInt32)] = [
        ([UInt8](repeating: 0, count: 32), 0x8a91_36aa), ([UInt8](repeating: 0xff, count: 32), 0x62a8_ab43),
        (Array(0..<32), 0x46dd_794e), (Array((0..<32).reversed()), 0x113f_db5c),
        (Array("123456789".utf8), 0xe306_9283), ([], 0),
    ]

    @Test(arguments: checksums)
    func crc32cMatchesThePublishedVectors(bytes: [UInt8], checksum: UInt32) {
        #expect(CRC32C.checksum(bytes) == checksum)
    }

    @Test func crc32cIsTheSameInPieces() {
        var random = SeededRandom(seed: 1)
        let bytes = (0..<1000).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        for cut in stride(from: 0, through: 1000, by: 7) {
            var crc = CRC32C()
            bytes[..<cut].withUnsafeBytes { crc.update($0) }
            bytes[cut...].withUnsafeBytes { crc.update($0) }
            #expect(crc.value == CRC32C.checksum(bytes))
        }
    }

    /// The tree heads that certificate transparency implementations share as test vectors of RFC 6962.
    @Test func treeHeadsMatchThePublishedVectors() {
        let leaves: [[UInt8]] = [
            [], [0x00], [0x10], [0x20, 0x21], [0x30, 0x31], [0x40, 0x41, 0x42, 0x43], Array(0x50...0x57),
            Array(0x60...0x6f),
        ]
        let heads = [
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ]
        var frontier = MerkleFrontier()
        #expect(hex(frontier.root) == heads[0])
        for (leaf, head) in zip(leaves, heads.dropFirst()) {
            frontier.append(leaf)
            #expect(hex(frontier.root) == head)
        }
    }

    @Test func treeHeadsMatchANaiveTreeOfEverySize() {
        var frontier = MerkleFrontier()
        var leaves: [[UInt8]] = []
        for size in 1...200 {
            leaves.append(Array("record \(size)".utf8))
            frontier.append(leaves[size - 1])
            #expect(frontier.root == naiveRoot(leaves[...]))
            #expect(MerkleFrontier(count: frontier.count, hashes: frontier.hashes) == frontier)
        }
    }

    @Test(arguments: [0, 1, 63, 64, 65, 1000, 100_000])
    func framesGiveBackWhatTheyWereMadeOf(byteCount: Int) throws {
        var random = SeededRandom(seed: UInt64(byteCount))
        let noise = (0..<byteCount).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        let text = Array(String(repeating: "compressible ", count: byteCount / 13).utf8)
        for records in [[noise], [text], [noise, [], text, [7]]] {
            let bytes = try Frame.encode(records, firstPosition: 42)
            let header = try #require(Frame.Header(bytes))
            #expect(header.firstPosition == 42 && header.lastPosition == UInt64(41 + records.count))
            #expect(try Frame.decode(header, bytes[...]).get() == records.map(LogRecord.kept))
        }
        #expect(try #require(Frame.Header(Frame.encode([text], firstPosition: 1))).isCompressed == (byteCount > 64))
    }

    @Test func everyFlippedBitOfAFrameIsNoticed() throws {
        let bytes = try Frame.encode(
            [Array("some text, some text, some text, some text, some text".utf8)], firstPosition: 9)
        for bit in 0..<bytes.count * 8 {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << (bit % 8)
            guard let header = Frame.Header(damaged) else { continue }
            if case .success = Frame.decode(header, damaged.prefix(header.byteCount)) {
                Issue.record("bit \(bit) was not noticed")
            }
        }
    }

    /// RFC 6962, section 2.1, word for word.
    private func naiveRoot(_ leaves: ArraySlice<[UInt8]>) -> [UInt8] {
        guard leaves.count > 1, let start = leaves.indices.first else {
            return Array(SHA256.hash(data: [0] + (leaves.first ?? [])))
        }
        var split = 1
        while split * 2 < leaves.count { split *= 2 }
        let (left, right) = (naiveRoot(leaves[..<(start + split)]), naiveRoot(leaves[(start + split)...]))
        return Array(SHA256.hash(data: [1] + left + right))
    }
}

func hex(_ bytes: [UInt8]) -> String {
    bytes.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
}
