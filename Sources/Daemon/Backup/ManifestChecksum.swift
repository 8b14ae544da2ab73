import EventLog

/// The CRC-32C of a manifest, its last member: it is of the object's bytes without that member.
///
/// Files that a manifest names have hashes in it; this is for what it says of itself. Older manifests have none.
enum ManifestChecksum {
    static let member = "crc32c"
    private static let prefix = Array(",\"\(member)\":\"".utf8)
    private static let digits = 8
    private static let suffix = Array("\"}\n".utf8)

    /// The file of an object.
    static func file(_ object: String) -> [UInt8] {
        let bytes = Array(object.utf8)
        return bytes.dropLast() + prefix + hex(CRC32C.checksum(bytes)) + suffix
    }

    /// True for a file that ends with its own checksum.
    static func isRight(_ file: [UInt8]) -> Bool {
        let count = prefix.count + digits + suffix.count
        guard file.count > count else { return false }
        let object = file.dropLast(count) + [UInt8(ascii: "}")]
        return Array(file.suffix(count)) == prefix + hex(CRC32C.checksum(Array(object))) + suffix
    }

    private static func hex(_ value: UInt32) -> [UInt8] {
        let text = String(value, radix: 16)
        return Array((String(repeating: "0", count: digits - text.count) + text).utf8)
    }
}
