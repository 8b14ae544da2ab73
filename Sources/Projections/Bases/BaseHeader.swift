import Domain
import EventLog

/// The first bytes of a base's file, which say what it shows.
struct BaseHeader: Hashable, Sendable {
    static let byteCount = 88
    private static let magic = Array("SLUBASE1".utf8)

    let schemaVersion: UInt32
    /// The position of the base that it was made over; zero for the first one.
    let from: Position
    /// The position that it shows.
    let to: Position
    /// The pages of the whole database at that position.
    let pageCount: UInt32
    /// The pages that the file holds.
    let entryCount: UInt32
    let indexOffset: UInt64
    let indexChecksum: UInt32
    let mark: BaseMark

    var fileName: String { "\(from)-\(to).base" }

    var bytes: [UInt8] {
        var bytes = Self.magic
        bytes.append(integer: schemaVersion)
        bytes.append(integer: UInt32(PastPages.pageBytes))
        bytes.append(integer: from.value)
        bytes.append(integer: to.value)
        bytes.append(integer: pageCount)
        bytes.append(integer: entryCount)
        bytes.append(integer: indexOffset)
        bytes.append(integer: UInt64(bitPattern: mark.time.microseconds))
        bytes.append(integer: mark.eventID.value.high)
        bytes.append(integer: mark.eventID.value.low)
        bytes.append(integer: mark.editions)
        bytes.append(integer: indexChecksum)
        bytes.append(integer: CRC32C.checksum(bytes))
        return bytes
    }

    init(
        from: Position, to: Position, pageCount: UInt32, entryCount: UInt32, indexOffset: UInt64,
        indexChecksum: UInt32, mark: BaseMark
    ) {
        schemaVersion = UInt32(ReadModelSchema.version)
        self.from = from
        self.to = to
        self.pageCount = pageCount
        self.entryCount = entryCount
        self.indexOffset = indexOffset
        self.indexChecksum = indexChecksum
        self.mark = mark
    }

    /// Reads a header; `nil` when it is not as it was written, or of another version.
    init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.byteCount, Array(bytes.prefix(8)) == Self.magic,
            CRC32C.checksum(bytes.dropLast(4)) == bytes.integer(at: Self.byteCount - 4) as UInt32,
            bytes.integer(at: 8) as UInt32 == UInt32(ReadModelSchema.version),
            bytes.integer(at: 12) as UInt32 == UInt32(PastPages.pageBytes)
        else { return nil }
        self.init(
            from: Position(bytes.integer(at: 16)), to: Position(bytes.integer(at: 24)),
            pageCount: bytes.integer(at: 32), entryCount: bytes.integer(at: 36), indexOffset: bytes.integer(at: 40),
            indexChecksum: bytes.integer(at: 80),
            mark: BaseMark(
                time: Timestamp(microseconds: Int64(bitPattern: bytes.integer(at: 48))),
                eventID: EventID(UUIDValue(high: bytes.integer(at: 56), low: bytes.integer(at: 64))),
                editions: bytes.integer(at: 72)))
        guard from < to else { return nil }
    }
}

/// The log that a base was made from, so that it is never taken for one of another log.
struct BaseMark: Hashable, Sendable {
    /// When the event of the base's position was recorded, or the next one's that is kept.
    let time: Timestamp
    let eventID: EventID
    /// The number of times that segments of the log were rewritten: what was pruned since must not be in a base.
    let editions: UInt64
}

extension [UInt8] {
    /// Little-endian.
    mutating func append(integer value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }

    /// Little-endian; the caller knows that there are as many bytes.
    func integer<Value: FixedWidthInteger>(at offset: Int) -> Value {
        withUnsafeBytes { Value(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: Value.self)) }
    }
}
