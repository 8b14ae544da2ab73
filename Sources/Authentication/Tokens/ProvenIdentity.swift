/// Whom a token proves.
package struct ProvenIdentity: Hashable, Sendable {
    /// The claim `sub`, or the user id where there is none.
    package let subject: String
    package let userID: String
    package let groups: [String]
}
