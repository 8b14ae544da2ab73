/// The first 4096 bytes of a segment: what it is, where it begins, and the Merkle frontier of all records before it.
package struct SegmentHeader: Hashable, Sendable {
    package static let byteCount = 4096
    static let magic = Array("SLUICLOG".utf8)
    /// A segment as the writer begins it.
    static let formatVersion: UInt32 = 1
    /// A segment that may have frames in which hashes stand for records.
    static let prunedFormatVersion: UInt32 = 2

    package let firstPosition: UInt64
    package let frontier: MerkleFrontier
    /// How often it was written anew without some of its records; 0 for a segment as the writer left it.
    package let edition: UInt32

    /// Whether records of it may have been pruned.
    package var mayBePruned: Bool { edition > 0 }

    package enum Malformed: Error, Hashable, Sendable {
        case notASegment
        case newerFormat(UInt32)
        case checksum
        case contents
    }

    package var fileName: String { Self.fileName(firstPosition: firstPosition) }

    package static func fileName(firstPosition: UInt64) -> String {
        firstPosition.fileNameDigits + ".seg"
    }

    /// The position in a segment's file name; `nil` when it is no such name.
    package static func firstPosition(fileName: String) -> UInt64? {
        guard let position = UInt64(fileName.prefix(20)), (1...Frame.positionMax).contains(position),
            fileName == Self.fileName(firstPosition: position)
        else { return nil }
        return position
    }

    package var bytes: [UInt8] {
        var bytes = Self.magic
        bytes.append(littleEndian: mayBePruned ? Self.prunedFormatVersion : Self.formatVersion)
        bytes.append(littleEndian: UInt32(Self.byteCount))
        bytes.append(littleEndian: firstPosition)
        bytes += frontier.root
        bytes.append(littleEndian: UInt32(frontier.hashes.count))
        bytes.append(littleEndian: edition)
        for hash in frontier.hashes { bytes += hash }
        bytes += [UInt8](repeating: 0, count: Self.byteCount - 4 - bytes.count)
        bytes.append(littleEndian: CRC32C.checksum(bytes))
        return bytes
    }

    /// Whether magic and version are a header's, but for bytes that did not reach the disk and are zero.
    static func mayBeTorn(_ bytes: [UInt8]) -> Bool {
        var beginning = magic
        beginning.append(littleEndian: formatVersion)
        return zip(bytes, beginning).allSatisfy { $0 == 0 || $0 == $1 }
    }

    package init(firstPosition: UInt64, frontier: MerkleFrontier, edition: UInt32 = 0) {
        self.firstPosition = firstPosition
        self.frontier = frontier
        self.edition = edition
    }

    package init(_ bytes: [UInt8]) throws(Malformed) {
        guard bytes.count == Self.byteCount, Array(bytes.prefix(8)) == Self.magic else { throw .notASegment }
        let version: UInt32 = bytes.littleEndian(at: 8)
        guard version == Self.formatVersion || version == Self.prunedFormatVersion else { throw .newerFormat(version) }
        guard CRC32C.checksum(bytes.dropLast(4)) == bytes.littleEndian(at: Self.byteCount - 4) as UInt32 else {
            throw .checksum
        }
        let first: UInt64 = bytes.littleEndian(at: 16)
        let hashCount = Int(bytes.littleEndian(at: 56) as UInt32)
        guard (1...Frame.positionMax).contains(first), hashCount <= 64 else { throw .contents }
        let hashes = (0..<hashCount).map { Array(bytes[64 + 32 * $0..<96 + 32 * $0]) }
        guard let frontier = MerkleFrontier(count: first - 1, hashes: hashes),
            frontier.root == Array(bytes[24..<56])
        else { throw .contents }
        // In version 1 nothing has ever been written there.
        let edition: UInt32 = version == Self.formatVersion ? 0 : bytes.littleEndian(at: 60)
        guard version == Self.formatVersion || edition > 0 else { throw .contents }
        self.init(firstPosition: first, frontier: frontier, edition: edition)
    }
}

extension UInt64 {
    /// The position with leading zeros, so that files sort by it.
    var fileNameDigits: String {
        let digits = String(self)
        return String(repeating: "0", count: 20 - digits.count) + digits
    }
}
