package import Domain

/// Whom a token proves.
package struct ProvenIdentity: Hashable, Sendable {
    /// The claim `sub`, or the user id where there is none.
    package let subject: String
    package let userID: String
    /// The claim `email`, verified or not.
    package let address: String?
    package let groups: [String]
    /// The end of the proof: the token's `exp`, and the leeway that clocks are given.
    package let expiresAt: Timestamp
}
