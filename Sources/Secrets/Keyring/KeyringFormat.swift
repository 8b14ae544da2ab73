import Crypto

/// The keyring's bytes: a header, then slots of one size, each with one wrapped key or with nothing but zeros.
///
/// A slot is written and erased in place, within one sector of a disk: there are no older copies of it that a delete
/// would have to find.
enum KeyringFormat {
    static let slotBytes = 256
    static let idBytesMax = 150
    private static let magic = Array("SLUICKEY".utf8)
    private static let version: UInt8 = 1
    private static let wrappedBytes = MasterKey.bytesCount + SealedBytes.overheadBytes
    private static let checksumBytes = 8

    /// The name that the header's key, which only proves the master key, is wrapped with.
    static let checkID = "check"

    /// The first slot's place: the magic, the version and a key that nothing is sealed with.
    static func header(check: [UInt8]) -> [UInt8] { framed(magic + [version] + check) }

    /// The wrapped check; `nil` for other bytes than those of a header.
    static func check(ofHeader bytes: [UInt8]) -> [UInt8]? {
        let end = magic.count + 1 + wrappedBytes
        guard bytes.count == slotBytes, isWhole(bytes), Array(bytes[..<magic.count]) == magic,
            bytes[magic.count] == version
        else { return nil }
        return Array(bytes[magic.count + 1..<end])
    }

    static func slot(_ id: String, _ wrapped: [UInt8]) -> [UInt8] {
        precondition(id.utf8.count <= idBytesMax && wrapped.count == wrappedBytes, "a slot holds one id and one key")
        return framed([UInt8(id.utf8.count)] + Array(id.utf8) + wrapped)
    }

    enum Slot: Equatable {
        case free
        case key(id: String, wrapped: [UInt8])
        /// Half written, or damaged: nobody was ever told that it is there, or nobody can use it any more.
        case damaged
    }

    static func slot(_ bytes: [UInt8]) -> Slot {
        if bytes.allSatisfy({ $0 == 0 }) { return .free }
        guard bytes.count == slotBytes, isWhole(bytes) else { return .damaged }
        let count = Int(bytes[0])
        guard count <= idBytesMax, let id = String(validating: bytes[1..<1 + count], as: UTF8.self) else {
            return .damaged
        }
        return .key(id: id, wrapped: Array(bytes[1 + count..<1 + count + wrappedBytes]))
    }

    private static func framed(_ contents: [UInt8]) -> [UInt8] {
        let padded = contents + [UInt8](repeating: 0, count: slotBytes - checksumBytes - contents.count)
        return padded + checksum(padded)
    }

    private static func isWhole(_ bytes: [UInt8]) -> Bool {
        let end = slotBytes - checksumBytes
        return Array(bytes[end...]) == checksum(Array(bytes[..<end]))
    }

    private static func checksum(_ bytes: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: bytes).prefix(checksumBytes)) }
}
