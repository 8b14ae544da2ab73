/// Four eyes: persons are compared across identity providers, because one person may have an account at several.
///
/// The comparison fails closed. An address counts whether it is verified or not: it can only take an approval away.
extension Actor {
    /// The names that the actor is known by, normalized; none for a link and for Sluice itself.
    var aliases: Set<String> {
        switch kind {
        case .apiKey: Self.normalized([name])
        case .person(let person): Self.normalized([name, person.subject, person.address])
        case .decisionLink, .system: []
        }
    }

    /// True when both are the same key, or may be the same person.
    ///
    /// Within one provider subject and address decide. Across providers, and between a person and a key, any name in
    /// common does.
    func isSamePerson(as other: Actor) -> Bool {
        switch (kind, other.kind) {
        case (.apiKey(let mine), .apiKey(let theirs)): mine == theirs
        case (.person(let mine), .person(let theirs)) where mine.provider == theirs.provider:
            mine.subject == theirs.subject
                || !Self.normalized([mine.address]).isDisjoint(with: Self.normalized([theirs.address]))
        case (.person, .person), (.person, .apiKey), (.apiKey, .person):
            !aliases.isDisjoint(with: other.aliases)
        case (.decisionLink, _), (.system, _), (_, .decisionLink), (_, .system): false
        }
    }

    /// User ids are e-mail addresses more often than not: another case of letters is no other person.
    static func normalized(_ names: [String?]) -> Set<String> {
        var found: Set<String> = []
        for name in names {
            guard let name else { continue }
            let trimmed = name.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed()
            if !trimmed.isEmpty { found.insert(String(trimmed).lowercased()) }
        }
        return found
    }
}

extension RunState {
    /// True when the actor created the run, or is its user.
    func isOwn(_ actor: Actor) -> Bool {
        if let creator, actor.isSamePerson(as: creator) { return true }
        return !Actor.normalized([userID, user?.subject, user?.address]).isDisjoint(with: actor.aliases)
    }
}

extension AccessRequestState {
    /// True when the actor asked for the access, or would get it.
    func isOwn(_ actor: Actor) -> Bool {
        if let requester, actor.isSamePerson(as: requester) { return true }
        return !Actor.normalized([requested.subject]).isDisjoint(with: actor.aliases)
    }
}
