/// A person within a workspace, by the user id that runs, requests and tokens name them with.
package struct PersonName: Hashable, Sendable {
    package let workspace: WorkspaceName
    package let userID: String

    package init(workspace: WorkspaceName, userID: String) {
        self.workspace = workspace
        self.userID = userID
    }

    /// Compares bytes: a person whose name is only canonically equivalent is another one.
    package static func == (left: Self, right: Self) -> Bool {
        left.workspace == right.workspace && left.userID.isExactly(right.userID)
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(workspace)
        hasher.combine(ExactText(userID))
    }
}

extension SecretReference {
    /// What the names begin with of secrets that are a user's consent to calls of a tool.
    package static let consentPrefix = "consent:"

    /// The secret that holds the user's consent.
    package static func consent(_ tool: ResourceKey, user: String) -> SecretReference {
        SecretReference(owner: tool, name: consentPrefix + user)
    }

    /// Whose consent it is, when it is one.
    package var consentingUser: String? {
        name.hasPrefix(Self.consentPrefix) ? String(name.dropFirst(Self.consentPrefix.count)) : nil
    }
}
