/// An API key exists from now on; only its hash is kept.
package struct APIKeyCreated: Hashable, Sendable {
    package let name: String
    package let role: Role
    /// SHA-256 of the key's text, lower-case hex.
    package let digest: String
    package let prefix: String
    package let last4: String
    package let expiresAt: Timestamp?
    /// The groups of approvers that it stands for, sorted, each once.
    package let groups: [String]
    /// The agent that a key of role agent is for; `nil` when it may speak for any.
    package let agent: String?
    /// True for a key that decides only on requests that name one of its groups.
    package let onlyGroups: Bool

    package init(
        name: String, role: Role, digest: String, prefix: String, last4: String, expiresAt: Timestamp?,
        groups: [String] = [], agent: String? = nil, onlyGroups: Bool = false
    ) {
        self.name = name
        self.role = role
        self.digest = digest
        self.prefix = prefix
        self.last4 = last4
        self.expiresAt = expiresAt
        self.groups = groups
        self.agent = agent
        self.onlyGroups = onlyGroups
    }
}

/// The key has another text from now on; everything else of it stays.
package struct APIKeyRotated: Hashable, Sendable {
    /// SHA-256 of the new text, lower-case hex.
    package let digest: String
    package let prefix: String
    package let last4: String
    package let expiresAt: Timestamp?
    /// Until when the text before is good too; `nil` refuses it at once.
    package let previousUntil: Timestamp?

    package init(digest: String, prefix: String, last4: String, expiresAt: Timestamp?, previousUntil: Timestamp?) {
        self.digest = digest
        self.prefix = prefix
        self.last4 = last4
        self.expiresAt = expiresAt
        self.previousUntil = previousUntil
    }
}

/// The key is refused from now on.
package struct APIKeyRevoked: Hashable, Sendable {
    package init() {}
}

/// The first answer to a request with an `Idempotency-Key`, given again when the request comes again.
package struct AnswerRecorded: Hashable, Sendable {
    package let token: IdempotencyToken
    package let statusCode: UInt32
    /// The answer's body, without secrets that are shown once.
    package let body: String

    package init(token: IdempotencyToken, statusCode: UInt32, body: String) {
        self.token = token
        self.statusCode = statusCode
        self.body = body
    }
}
