/// A client's `Idempotency-Key`, within its workspace, and what it was sent with.
package struct IdempotencyToken: Hashable, Sendable {
    /// The key as the client wrote it, 1-255 bytes.
    package let key: String
    /// The first 16 bytes of SHA-256 over method, path and body: the same key with another request is an error.
    package let fingerprint: UUIDValue

    package init(key: String, fingerprint: UUIDValue) {
        self.key = key
        self.fingerprint = fingerprint
    }
}
