/// One key, one user or one model, whose calls are counted together.
package struct ModelSubject: Hashable, Sendable {
    /// In the words of the API.
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        case key, user, model
    }

    package let kind: Kind
    package let name: String

    package init(_ kind: Kind, _ name: String) {
        self.kind = kind
        self.name = name
    }

    /// The subjects of a call: its key by name, its user and its model.
    package static func all(actor: Actor, user: String?, model: String) -> [ModelSubject] {
        let key: String? = if case .apiKey = actor.kind { actor.name } else { nil }
        let names = [(Kind.key, key), (.user, user), (.model, model)]
        return names.compactMap { kind, name in
            name.flatMap { $0.isEmpty ? nil : ModelSubject(kind, $0) }
        }
    }
}
