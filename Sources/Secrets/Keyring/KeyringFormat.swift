import Crypto
import Domain

/// The keyring's bytes: a header, then slots of one size, each with one wrapped key or with nothing but zeros.
///
/// A slot is written and erased in place, within one sector of a disk: there are no older versions of it that a delete
/// would have to find. Format 2 keeps the same slots as format 1 and adds a header that says which slots there are.
/// Format 3 adds a note before the checksum of a person's slot, where the earlier ones have zeros.
enum KeyringFormat {
    static let slotBytes = 256
    static let idBytesMax = 150
    static let version: UInt8 = 3
    private static let magic = Array("SLUICKEY".utf8)
    static let wrappedBytes = MasterKey.bytesCount + SealedBytes.overheadBytes
    private static let checksumBytes = 8
    private static let noteStart = slotBytes - checksumBytes - KeyNote.bytesCount

    /// The name that the header's key, which only proves the master key, is wrapped with.
    static let checkID = "check"

    enum Header: Hashable {
        /// Bytes that are no header, or a damaged one.
        case unreadable
        /// Format 1, which has the check alone.
        case first(check: [UInt8])
        /// A later format up to this version's.
        case counted(KeyringHeader)
        /// A format that a later version has written.
        case later(UInt8)
    }

    static func header(_ header: KeyringHeader) -> [UInt8] {
        precondition(header.check.count == wrappedBytes, "a header holds one wrapped key")
        var bytes = magic + [version] + header.check
        for number in [header.keyringID.high, header.keyringID.low, header.generation, header.lossGeneration] {
            bytes.append(contentsOf: number.bigEndianBytes)
        }
        bytes.append(contentsOf: UInt64(header.keyCount).bigEndianBytes)
        bytes.append(contentsOf: UInt64(header.slotCount).bigEndianBytes)
        bytes.append(contentsOf: header.payloadsBefore.number.bigEndianBytes)
        return sealed(bytes + header.digest.bytes)
    }

    /// The header of format 1: a version and a check.
    static func firstHeader(check: [UInt8]) -> [UInt8] { sealed(magic + [1] + check) }

    static func header(parsing bytes: [UInt8]) -> Header {
        guard bytes.count == slotBytes, digest(ofWhole: bytes[...]) != nil, Array(bytes[..<magic.count]) == magic else {
            return .unreadable
        }
        let start = magic.count + 1
        let check = Array(bytes[start..<start + wrappedBytes])
        switch bytes[magic.count] {
        case 1: return .first(check: check)
        case 2...version:
            let numbers = (0..<11).map { UInt64(bigEndianBytes: bytes[...], at: start + wrappedBytes + 8 * $0) }
            guard let keyCount = Int(exactly: numbers[4]), let slotCount = Int(exactly: numbers[5]) else {
                return .unreadable
            }
            return .counted(
                KeyringHeader(
                    check: check, keyringID: UUIDValue(high: numbers[0], low: numbers[1]), generation: numbers[2],
                    lossGeneration: numbers[3], keyCount: keyCount, slotCount: slotCount,
                    payloadsBefore: PayloadDay(number: numbers[6]), digest: SlotSetDigest(lanes: numbers[7...]),
                    version: bytes[magic.count]))
        default: return .later(bytes[magic.count])
        }
    }

    static func slot(_ id: String, _ entry: KeyEntry) -> [UInt8] {
        precondition(
            id.utf8.count <= idBytesMax && entry.wrapped.count == wrappedBytes, "a slot holds one id and one key")
        return sealed([UInt8(id.utf8.count)] + Array(id.utf8) + entry.wrapped, note: entry.note.bytes)
    }

    enum Slot: Equatable {
        case free
        /// A key, and the SHA-256 of what is before the slot's checksum.
        case key(id: String, KeyEntry, hash: [UInt8])
        /// Half written, or damaged.
        case damaged
    }

    static func slot(parsing bytes: ArraySlice<UInt8>) -> Slot {
        let start = bytes.startIndex
        if bytes.count == slotBytes, bytes.allSatisfy({ $0 == 0 }) { return .free }
        guard bytes.count == slotBytes, let hash = digest(ofWhole: bytes) else { return .damaged }
        let count = Int(bytes[start])
        guard count <= idBytesMax, let id = String(validating: bytes[(start + 1)...].prefix(count), as: UTF8.self)
        else { return .damaged }
        let entry = KeyEntry(
            wrapped: Array(bytes[(start + 1 + count)...].prefix(wrappedBytes)),
            note: KeyNote(bytes[(start + noteStart)...].prefix(KeyNote.bytesCount)))
        return .key(id: id, entry, hash: hash)
    }

    /// The hash of a slot's contents, which its checksum is the beginning of.
    static func hash(ofSlot bytes: [UInt8]) -> [UInt8] { hash(ofSlot: bytes[...]) }

    private static func hash(ofSlot bytes: ArraySlice<UInt8>) -> [UInt8] {
        Array(SHA256.hash(data: bytes.prefix(slotBytes - checksumBytes)))
    }

    /// - Parameter note: the bytes before the checksum.
    private static func sealed(_ contents: [UInt8], note: [UInt8] = []) -> [UInt8] {
        let zeros = [UInt8](repeating: 0, count: slotBytes - checksumBytes - contents.count - note.count)
        let padded = contents + zeros + note
        return padded + SHA256.hash(data: padded).prefix(checksumBytes)
    }

    /// The hash of the contents; `nil` when the checksum is not theirs.
    private static func digest(ofWhole bytes: ArraySlice<UInt8>) -> [UInt8]? {
        let hash = hash(ofSlot: bytes)
        return bytes.suffix(checksumBytes).elementsEqual(hash[..<checksumBytes]) ? hash : nil
    }
}

/// The facts that a keyring states about itself since format 2, in each of its files.
struct KeyringHeader: Hashable, Sendable {
    /// A wrapped key that nothing is sealed with: it proves the master key.
    var check: [UInt8]
    /// Random, and the same in both files: a file of another directory is told apart by it.
    let keyringID: UUIDValue
    /// Counts every change.
    var generation: UInt64
    /// The generation at which a loss of keys was accepted last; 0 when none was.
    var lossGeneration: UInt64 = 0
    var keyCount = 0
    /// Slots of the file, free ones and the header included.
    var slotCount = 1
    /// Keys of payloads of earlier days were destroyed because they are old; zero in a keyring that has not said so yet.
    var payloadsBefore = PayloadDay.none
    var digest = SlotSetDigest()
    /// The format that the header was read in.
    var version = KeyringFormat.version

    var mark: KeyringMark {
        KeyringMark(keyringID: keyringID, generation: generation, lossGeneration: lossGeneration)
    }
}

/// A checksum over a set of slots, in any order: adding or removing one slot costs one addition.
struct SlotSetDigest: Hashable, Sendable {
    private var lanes = SIMD4<UInt64>()

    init() {}

    fileprivate init(lanes: ArraySlice<UInt64>) { self.lanes = SIMD4(Array(lanes)) }

    mutating func insert(_ hash: [UInt8]) { lanes &+= Self.lanes(hash) }

    mutating func remove(_ hash: [UInt8]) { lanes &-= Self.lanes(hash) }

    var bytes: [UInt8] { (0..<4).flatMap { lanes[$0].bigEndianBytes } }

    private static func lanes(_ hash: [UInt8]) -> SIMD4<UInt64> {
        SIMD4((0..<4).map { UInt64(bigEndianBytes: hash[...], at: 8 * $0) })
    }
}

extension UInt64 {
    var bigEndianBytes: [UInt8] { withUnsafeBytes(of: bigEndian) { Array($0) } }

    init(bigEndianBytes bytes: ArraySlice<UInt8>, at offset: Int) {
        self = bytes[offset..<offset + 8].reduce(0) { $0 << 8 | UInt64($1) }
    }
}
