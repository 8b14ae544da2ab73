/// Gives calls the credentials that their tool asks for; the agent never sees them.
package protocol CredentialInjector: Sendable {
    /// The call with its credentials. What the agent wrote in their place is gone.
    func apply(to call: OutgoingCall) async throws(CredentialError) -> OutgoingCall

    /// Told of a 401 to a call that `apply` made: whether to apply to the original call once more, because a fresh
    /// credential may do.
    func mayRenew(after call: OutgoingCall) -> Bool

    /// The secrets that it gives calls or signs them with, apart from the field `Authorization`: to be redacted in
    /// answers.
    var secrets: [String] { get }
}

extension CredentialInjector {
    package func mayRenew(after call: OutgoingCall) -> Bool { false }
    package var secrets: [String] { [] }
}

/// Why a call cannot be given its credentials. Holds no secret, and nothing of what a token endpoint said but its code.
package struct CredentialError: Error, Hashable, Sendable, CustomStringConvertible {
    package let code: CredentialErrorCode
    package let description: String

    package init(_ code: CredentialErrorCode, _ description: String) {
        self.code = code
        self.description = description
    }
}

/// Stable codes of failures with credentials; each has a line in `docs/errors.md`.
package enum CredentialErrorCode: String, Hashable, Sendable, CaseIterable {
    case missing = "credential_missing"
    case malformed = "credential_malformed"
    case unreadable = "credential_unreadable"
    case unsupported = "authentication_unsupported"
    case tokenRefused = "token_refused"
    /// A person's grant is used up, revoked or expired: they have to consent again.
    case grantRefused = "grant_refused"
    case consentMissing = "consent_missing"
    case tokenUnreachable = "token_unreachable"
}
