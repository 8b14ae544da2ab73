/// Whom a token proves.
package struct ProvenIdentity: Hashable, Sendable {
    /// The claim `sub`, or the user id where there is none.
    package let subject: String
    package let userID: String
    /// The claim `email`, verified or not.
    package let address: String?
    package let groups: [String]
}
