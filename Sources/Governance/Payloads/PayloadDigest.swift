import Crypto
package import Domain

/// SHA-256 over the bytes of a request's body: what an approval is bound to.
package enum PayloadDigest {
    /// `sha256:` and 64 lower-case hex digits.
    package static func sha256(_ bytes: some Sequence<UInt8>) -> PayloadHash {
        var digest = Streaming()
        digest.update(Array(bytes))
        return digest.finalize()
    }

    /// The same over a body that comes in parts.
    package struct Streaming: Sendable {
        private var hasher = SHA256()

        package init() {}

        package mutating func update(_ part: [UInt8]) { hasher.update(data: part) }

        package func finalize() -> PayloadHash {
            var text = Array("sha256:".utf8)
            text.reserveCapacity(text.count + 2 * SHA256.byteCount)
            for byte in hasher.finalize() {
                text.append(Self.digits[Int(byte >> 4)])
                text.append(Self.digits[Int(byte & 15)])
            }
            return PayloadHash(String(decoding: text, as: UTF8.self))
        }

        private static let digits = Array("0123456789abcdef".utf8)
    }
}
