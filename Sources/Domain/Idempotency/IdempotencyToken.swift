/// A client's `Idempotency-Key`, within its workspace and its principal, and the request that it was sent with.
package struct IdempotencyToken: Hashable, Sendable {
    /// The key as the client wrote it, 1-255 bytes.
    package let key: String
    /// Eight bytes that stand for the principal, and eight of a keyed digest over principal, path and body: the same
    /// principal's key with another request is an error.
    package let fingerprint: UUIDValue
    /// The fingerprint that versions before 0046 gave to the same request: sixteen bytes of the digest. No part of the
    /// token, only of the search for an earlier use.
    package let earlierFingerprint: UUIDValue?

    package init(key: String, fingerprint: UUIDValue, earlierFingerprint: UUIDValue? = nil) {
        self.key = key
        self.fingerprint = fingerprint
        self.earlierFingerprint = earlierFingerprint
    }

    /// The namespace of the key: one principal's keys say nothing about another's.
    package var scope: UInt64 { fingerprint.high }

    package static func == (left: Self, right: Self) -> Bool {
        left.key == right.key && left.fingerprint == right.fingerprint
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(key)
        hasher.combine(fingerprint)
    }
}
