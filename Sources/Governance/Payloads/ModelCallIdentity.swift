import Crypto
package import Domain

/// Tells one model call of a run from another: the same operation, provider and body have the same identity.
package enum ModelCallIdentity {
    /// The first 16 bytes of SHA-256 over the parts, each preceded by its length.
    ///
    /// - Parameters:
    ///   - provider: The provider in the address; `nil` when it names none.
    ///   - body: The bytes as the caller sent them.
    package static func make(operation: String, provider: String?, body: [UInt8]) -> UUIDValue {
        var hasher = SHA256()
        for part in [Array(operation.utf8), Array((provider ?? "").utf8), body] {
            withUnsafeBytes(of: UInt64(part.count).bigEndian) { hasher.update(bufferPointer: $0) }
            hasher.update(data: part)
        }
        let value = hasher.finalize().withUnsafeBytes { UUIDValue(bytes: UnsafeRawBufferPointer(rebasing: $0[..<16])) }
        guard let value else { preconditionFailure("SHA-256 has 32 bytes") }
        return value
    }
}
