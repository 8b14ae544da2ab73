import Crypto
package import Domain

/// Tells one call of a run from another: the same turn, method, URL and body have the same fingerprint.
package enum CallFingerprint {
    /// The first 16 bytes of SHA-256 over the parts, each with its length before it, so that no two sets of parts
    /// make the same bytes.
    ///
    /// - Parameter turn: what the agent's runtime calls the turn (`X-Tool-Turn`), or empty.
    package static func make(turn: String, method: String, url: NormalizedURL, body: PayloadHash) -> UUIDValue {
        var hasher = SHA256()
        for part in [turn, method.uppercased(), url.text, body.text.lowercased()] {
            let bytes = Array(part.utf8)
            withUnsafeBytes(of: UInt64(bytes.count).bigEndian) { hasher.update(bufferPointer: $0) }
            hasher.update(data: bytes)
        }
        let value = hasher.finalize().withUnsafeBytes { UUIDValue(bytes: UnsafeRawBufferPointer(rebasing: $0[..<16])) }
        guard let value else { preconditionFailure("SHA-256 has 32 bytes") }
        return value
    }
}
