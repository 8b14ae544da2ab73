import Crypto

/// A copy of one segment. What it says of itself was read from the copy, after it was written.
package struct SegmentCopy: Hashable, Sendable {
    package let firstPosition: UInt64
    package let lastPosition: UInt64
    package let byteCount: UInt64
    /// How often the segment was pruned.
    package let edition: UInt32
    /// RFC 6962 tree heads of all records before it, and of those and its own; lower-case hex.
    package let rootBefore: String
    package let rootAfter: String
    /// Of the whole file, lower-case hex.
    package let sha256: String

    private static let partBytes = 1024 * 1024

    /// Copies what is whole of a segment at this moment, durably, under the segment's own name.
    ///
    /// - Parameter isOpen: whether it may grow meanwhile; then a frame that is being written is left out.
    /// - Throws: `LogError.damaged` when a frame, checksum or length is not as it was written.
    package static func make(
        of firstPosition: UInt64, isOpen: Bool, from source: any LogStorage, to target: any LogStorage
    ) throws(LogError) -> SegmentCopy {
        let name = SegmentHeader.fileName(firstPosition: firstPosition)
        let copy = try LogRecovery.wrap { () throws(StorageError) in
            let (original, copy) = (try source.open(name, isWritable: false), try target.create(name))
            try copyBytes(of: original, count: try original.size(), to: copy)
            // The writer may not have synced the newest frame yet, and a power cut would take it out of the log: the
            // copy would be of another log from then on.
            if isOpen { try original.sync() }
            return copy
        }
        let check = try SegmentCheck(firstPosition, isNewest: isOpen, target) { _, _ in .fine }
        if let damage = check.damage { throw damage }
        try LogRecovery.wrap { () throws(StorageError) in
            try copy.truncate(to: check.end)
            try copy.sync()
        }
        return SegmentCopy(
            firstPosition: firstPosition, lastPosition: check.frontier.count, byteCount: check.end,
            edition: check.header.edition, rootBefore: hexText(check.header.frontier.root),
            rootAfter: hexText(check.frontier.root), sha256: try digest(of: copy, byteCount: check.end))
    }

    /// The tree head of all records up to the position, which is in the segment; lower-case hex.
    ///
    /// - Throws: `LogError.damaged` when the segment ends before it.
    package static func root(
        of firstPosition: UInt64, through position: UInt64, in storage: any LogStorage
    ) throws(LogError) -> String {
        var frontier = try LogRecovery.header(firstPosition, storage).frontier
        let name = SegmentHeader.fileName(firstPosition: firstPosition)
        try LogRecovery.wrap { () throws(StorageError) in
            var scan = try SegmentScan(
                name: name, file: try storage.open(name, isWritable: false), firstPosition: firstPosition)
            _ = try scan.walk { _, _, records in
                for record in records where frontier.count < position { frontier.append(leafHash: record.leafHash) }
                return frontier.count < position
            }
        }
        guard frontier.count == position else {
            throw .damaged(
                segment: name, position: frontier.count + 1, offset: 0,
                reason: "the segment ends before position \(position)")
        }
        return hexText(frontier.root)
    }

    /// The SHA-256 of a file's first bytes, lower-case hex; of fewer bytes when the file is shorter.
    package static func digest(
        of name: String, byteCount: UInt64, in storage: any LogStorage
    ) throws(LogError) -> String {
        let file = try LogRecovery.wrap { () throws(StorageError) in try storage.open(name, isWritable: false) }
        return try digest(of: file, byteCount: byteCount)
    }

    /// The tree head before the first record, lower-case hex.
    package static var emptyRoot: String { hexText(MerkleFrontier().root) }

    static func hexText(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    static func copyBytes(of file: any LogFile, count: UInt64, to copy: any LogFile) throws(StorageError) {
        var offset: UInt64 = 0
        while offset < count {
            let part = try file.read(at: offset, count: Int(min(UInt64(partBytes), count - offset)))
            guard !part.isEmpty else { return }
            try copy.write(part, at: offset)
            offset += UInt64(part.count)
        }
    }

    private static func digest(of file: any LogFile, byteCount: UInt64) throws(LogError) -> String {
        try LogRecovery.wrap { () throws(StorageError) in
            var hasher = SHA256()
            var offset: UInt64 = 0
            while offset < byteCount {
                let part = try file.read(at: offset, count: Int(min(UInt64(partBytes), byteCount - offset)))
                guard !part.isEmpty else { break }
                hasher.update(data: part)
                offset += UInt64(part.count)
            }
            return hexText(hasher.finalize())
        }
    }
}

extension SegmentHeader {
    /// The RFC 6962 tree head of all records before the segment, lower-case hex.
    package var rootText: String { SegmentCopy.hexText(frontier.root) }
}
