package import Domain

/// Whose SSH keys sign whose decisions in a workspace, as its administrators say.
package struct AllowedSigners: Hashable, Sendable {
    package struct Entry: Hashable, Sendable {
        /// Whose key it is: an API key's name or id, or a person's user id.
        package let principal: String
        package let key: SSHPublicKey

        package init(principal: String, key: SSHPublicKey) {
            self.principal = principal
            self.key = key
        }
    }

    package static let entriesMax = 1_000

    package let entries: [Entry]

    package init(_ entries: [Entry]) { self.entries = entries }

    /// As they are stored; what cannot be read lets nobody sign.
    package init(document: JSONValue?) {
        guard case .array(let stored)? = document?["signers"] else {
            self.init([])
            return
        }
        self.init(
            stored.compactMap { entry in
                guard let principal = entry["principal"]?.string,
                    let key = entry["public_key"]?.string.flatMap({ try? SSHPublicKey(line: $0) })
                else { return nil }
                return Entry(principal: principal, key: key)
            })
    }

    /// As whom the actor signs with that key; `nil` when an administrator did not say that it is theirs.
    package func principal(of actor: Actor, signingWith key: SSHPublicKey) -> String? {
        entries.first { $0.key == key && actor.isPrincipal($0.principal) }?.principal
    }
}

extension Actor {
    fileprivate func isPrincipal(_ principal: String) -> Bool {
        switch kind {
        case .apiKey(let id): principal == name || principal == id.description
        // As the rules compare user ids.
        case .person: principal.lowercased() == name.lowercased()
        case .decisionLink, .system: false
        }
    }
}
