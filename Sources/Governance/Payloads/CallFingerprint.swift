import Crypto
package import Domain

/// The identity of a call within its run: the same method, URL, bound headers and body have the same fingerprint.
///
/// The published runtime numbers the calls of a handler (`X-Tool-Turn`). That number is not part of the identity, because
/// threads, polling and retries change the order of calls.
package enum CallFingerprint {
    /// The first 16 bytes of SHA-256 over the parts, each with its length before it, so that no two sets of parts
    /// make the same bytes.
    ///
    /// - Parameters:
    ///   - turn: the number of the call, for the fingerprint of calls recorded when it was part of the identity.
    ///   - headers: digest of the bound headers; `nil` for the fingerprint of calls recorded before there was one.
    package static func make(
        turn: String = "", method: String, url: NormalizedURL, headers: PayloadHash?, body: PayloadHash
    ) -> UUIDValue {
        var hasher = SHA256()
        func add(_ part: String) {
            var part = part
            part.withUTF8 { bytes in
                withUnsafeBytes(of: UInt64(bytes.count).bigEndian) { hasher.update(bufferPointer: $0) }
                hasher.update(bufferPointer: UnsafeRawBufferPointer(bytes))
            }
        }
        add(turn)
        add(method.uppercased())
        add(url.text)
        if let headers { add(headers.text.lowercased()) }
        add(body.text.lowercased())
        let value = hasher.finalize().withUnsafeBytes { UUIDValue(bytes: UnsafeRawBufferPointer(rebasing: $0[..<16])) }
        guard let value else { preconditionFailure("SHA-256 has 32 bytes") }
        return value
    }
}
