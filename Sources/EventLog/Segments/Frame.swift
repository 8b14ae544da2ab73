/// One group commit: a header of 32 bytes and the batch, compressed when that gains.
package enum Frame {
    package static let headerByteCount = 32
    package static let recordsMax = 65_536
    package static let recordBytesMax = 16 * 1024 * 1024
    package static let rawBytesMax = 32 * 1024 * 1024
    /// The highest position of a record: read models and clients count in signed integers.
    package static let positionMax = UInt64(Int64.max)
    static let magic: UInt32 = 0x4d46_4c53  // "SLFM" as bytes
    private static let compressedFlag: UInt32 = 1
    private static let prunedFlag: UInt32 = 2
    /// By how much a frame may grow when all its records become hashes, which may be longer than they were.
    private static let stubBytesMax = recordsMax * (MerkleHash.byteCount + 2)

    /// What stands before a frame's payload.
    package struct Header: Hashable, Sendable {
        package let payloadByteCount: Int
        package let rawByteCount: Int
        package let count: Int
        package let firstPosition: UInt64
        package let isCompressed: Bool
        /// Whether hashes stand for some of the records.
        package let isPruned: Bool
        let checksum: UInt32

        package var lastPosition: UInt64 { firstPosition + UInt64(count) - 1 }
        package var byteCount: Int { Frame.headerByteCount + payloadByteCount }

        /// Reads a header; `nil` when the bytes cannot be one. The checksum is checked with the payload.
        package init?(_ bytes: [UInt8]) {
            guard bytes.count >= Frame.headerByteCount, bytes.littleEndian(at: 0) == Frame.magic else { return nil }
            payloadByteCount = Int(bytes.littleEndian(at: 4) as UInt32)
            rawByteCount = Int(bytes.littleEndian(at: 8) as UInt32)
            count = Int(bytes.littleEndian(at: 12) as UInt32)
            firstPosition = bytes.littleEndian(at: 16)
            let flags: UInt32 = bytes.littleEndian(at: 24)
            isCompressed = flags & Frame.compressedFlag != 0
            isPruned = flags & Frame.prunedFlag != 0
            checksum = bytes.littleEndian(at: 28)
            guard flags <= Frame.compressedFlag | Frame.prunedFlag, (1...Frame.recordsMax).contains(count),
                rawByteCount <= Frame.rawBytesMax + (isPruned ? Frame.stubBytesMax : 0),
                payloadByteCount <= rawByteCount, firstPosition > 0,
                firstPosition <= Frame.positionMax - UInt64(count) + 1
            else { return nil }
            // Readers make room for what is claimed here before they have seen more: a record takes a byte at least,
            // and each byte of an LZ4 block stands for 255 at most.
            guard count <= rawByteCount, rawByteCount <= payloadByteCount * (isCompressed ? 255 : 1) else { return nil }
        }
    }

    /// The frame of a batch, ready to be written.
    package static func encode(_ records: [[UInt8]], firstPosition: UInt64) throws(LogError) -> [UInt8] {
        guard (1...recordsMax).contains(records.count) else {
            throw .tooLarge("a batch holds 1 to \(recordsMax) records, not \(records.count)")
        }
        var raw: [UInt8] = []
        raw.reserveCapacity(records.reduce(0) { $0 + $1.count + 4 })
        for record in records {
            guard record.count <= recordBytesMax else {
                throw .tooLarge("a record of \(record.count) bytes is larger than \(recordBytesMax)")
            }
            raw.appendVarint(UInt64(record.count))
            raw += record
        }
        guard raw.count <= rawBytesMax else {
            throw .tooLarge("a batch of \(raw.count) bytes is larger than \(rawBytesMax)")
        }
        guard firstPosition <= positionMax - UInt64(records.count) + 1 else {
            throw .tooLarge("the log is at position \(firstPosition - 1), and \(positionMax) is the last one")
        }
        return frame(raw, count: records.count, firstPosition: firstPosition, flags: 0)
    }

    /// The frame of records of which some may be hashes alone; of a batch without any it is what `encode` gives.
    static func encode(pruned records: [LogRecord], firstPosition: UInt64) throws(LogError) -> [UInt8] {
        let kept = records.compactMap(\.bytes)
        guard kept.count < records.count else { return try encode(kept, firstPosition: firstPosition) }
        var raw: [UInt8] = []
        for record in records {
            raw.appendVarint(record.mark)
            raw += record.content
        }
        precondition(
            records.count <= recordsMax && raw.count <= rawBytesMax + stubBytesMax, "a frame only shrinks to hashes")
        return frame(raw, count: records.count, firstPosition: firstPosition, flags: prunedFlag)
    }

    private static func frame(_ raw: [UInt8], count: Int, firstPosition: UInt64, flags: UInt32) -> [UInt8] {
        let block = LZ4Block.compress(raw)
        let payload = block ?? raw
        var frame: [UInt8] = []
        frame.reserveCapacity(headerByteCount + payload.count)
        frame.append(littleEndian: magic)
        frame.append(littleEndian: UInt32(payload.count))
        frame.append(littleEndian: UInt32(raw.count))
        frame.append(littleEndian: UInt32(count))
        frame.append(littleEndian: firstPosition)
        frame.append(littleEndian: flags | (block == nil ? 0 : compressedFlag))
        frame.append(littleEndian: checksum(header: frame, payload: payload[...]))
        frame += payload
        return frame
    }

    /// The records of a whole frame; `nil` with the reason when the frame is not what was written.
    package static func decode(
        _ header: Header, _ bytes: ArraySlice<UInt8>
    ) -> Result<[LogRecord], DamageReason> {
        guard bytes.count == header.byteCount else { return .failure("the frame is cut short") }
        let payload = bytes.dropFirst(headerByteCount)
        guard checksum(header: Array(bytes.prefix(headerByteCount - 4)), payload: payload) == header.checksum else {
            return .failure("the frame's checksum does not match")
        }
        let raw: [UInt8]
        if header.isCompressed {
            guard let block = LZ4Block.decompress(payload, rawCount: header.rawByteCount) else {
                return .failure("the frame does not decompress")
            }
            raw = block
        } else {
            raw = Array(payload)
        }
        guard let records = split(raw, count: header.count, isPruned: header.isPruned) else {
            return .failure("the frame's records do not add up")
        }
        return .success(records)
    }

    private static func checksum(header: [UInt8], payload: ArraySlice<UInt8>) -> UInt32 {
        var crc = CRC32C()
        header.withUnsafeBytes { crc.update($0) }
        payload.withUnsafeBytes { crc.update($0) }
        return crc.value
    }

    private static func split(_ raw: [UInt8], count: Int, isPruned: Bool) -> [LogRecord]? {
        var records: [LogRecord] = []
        records.reserveCapacity(count)
        var offset = 0
        for _ in 0..<count {
            guard let mark = raw.varint(at: &offset) else { return nil }
            let isStub = isPruned && mark == 1
            guard isStub || !isPruned || mark & 1 == 0 else { return nil }
            let length = isStub ? UInt64(MerkleHash.byteCount) : isPruned ? mark >> 1 : mark
            guard length <= UInt64(raw.count - offset) else { return nil }
            let content = Array(raw[offset..<offset + Int(length)])
            records.append(isStub ? .pruned(leafHash: content) : .kept(content))
            offset += Int(length)
        }
        return offset == raw.count ? records : nil
    }
}

/// Says what is wrong with a frame.
package struct DamageReason: Error, Hashable, Sendable, ExpressibleByStringLiteral {
    package let text: String

    package init(stringLiteral text: String) { self.text = text }
}

extension [UInt8] {
    /// Appends a base-128 varint, as protobuf writes it.
    fileprivate mutating func appendVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(rest))
    }

    fileprivate func varint(at offset: inout Int) -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 35, by: 7) {
            guard offset < count else { return nil }
            let byte = self[offset]
            offset += 1
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
        }
        return nil
    }
}
