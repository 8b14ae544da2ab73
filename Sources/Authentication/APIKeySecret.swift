import Crypto

/// The text of an API key. It exists in the request that made it and with its owner; Sluice keeps the digest.
package struct APIKeySecret: Hashable, Sendable {
    /// What published clients recognise a workspace key by.
    package static let prefix = "ra_ws_"
    /// The header in which programs send it.
    package static let header = "X-RunAgents-API-Key"
    package static let bytesMin = 16
    package static let bytesMax = 512

    package let text: String

    /// Makes a key of 256 random bits.
    package static func generate() -> APIKeySecret {
        let key = SymmetricKey(size: .bits256)
        return APIKeySecret(verified: prefix + key.withUnsafeBytes { hex($0) })
    }

    /// Accepts any visible ASCII of 16 to 512 bytes; `nil` for anything else.
    package init?(_ text: String) {
        guard (Self.bytesMin...Self.bytesMax).contains(text.utf8.count),
            text.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
        else { return nil }
        self.text = text
    }

    private init(verified text: String) { self.text = text }

    /// SHA-256 of the text, lower-case hex. Keys have 256 random bits, so that no slow hash is needed.
    package var digest: String { Self.hex(SHA256.hash(data: Array(text.utf8))) }

    /// Enough of the beginning to recognise the key by.
    package var visiblePrefix: String {
        text.hasPrefix(Self.prefix) ? String(text.prefix(Self.prefix.count + 4)) : String(text.prefix(4))
    }

    package var last4: String { String(text.suffix(4)) }

    /// 32 bytes as 64 digits.
    private static func hex(_ bytes: some Sequence<UInt8>) -> String {
        func digit(_ value: UInt8) -> UInt8 { value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10 }
        return String(unsafeUninitializedCapacity: 64) { text in
            var count = 0
            for byte in bytes.prefix(32) {
                text[count] = digit(byte >> 4)
                text[count + 1] = digit(byte & 15)
                count += 2
            }
            return count
        }
    }
}
