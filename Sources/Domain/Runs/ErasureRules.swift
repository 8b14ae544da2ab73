extension ActiveState {
    /// Begins the erasure of a person. What they have given consent to, asked for, granted or have access to ends with it.
    ///
    /// Nothing when it has begun already.
    ///
    /// - Throws: `personActive` while a run is unfinished that is theirs, that they started, or whose calls they voted on:
    ///   what goes on needs their data.
    func erasePerson(
        _ id: PersonID, _ requested: PersonErasureRequested, _ context: DecisionContext
    ) throws(Rejection) -> [Event] {
        let person = PersonName(workspace: context.workspace, userID: requested.userID)
        try checkText(
            person.userID, "user_id", required: true, bytesMax: context.settings.limits.textBytesMax)
        guard erasures[id] == nil else { return [] }
        let active = runs.values.filter { run in
            run.workspace == person.workspace
                && (run.userID.isExactly(person.userID) || run.creator.isPerson(person.userID)
                    || run.hasVote(of: person.userID))
        }
        guard active.isEmpty else {
            let named = active.map(\.id).sorted().prefix(3).map(\.description).joined(separator: ", ")
            throw Rejection(
                .personActive,
                "\(active.count) unfinished runs are theirs, were started by them or have their vote (\(named)): wait until "
                    + "they finish, or cancel them, and ask again")
        }
        var events: [Event] = []
        for owner in secrets.keys.filter({ $0.workspace == person.workspace }).sorted(by: { $0.name < $1.name }) {
            let consents = secretNames(of: owner).filter {
                SecretReference(owner: owner, name: $0).consentingUser?.isExactly(person.userID) ?? false
            }
            events += deleteSecrets(consents, of: owner, eventsBefore: events.count, context)
        }
        let theirs = accessRequests.values.filter { $0.workspace == person.workspace && $0.names(person.userID) }
        for request in theirs.sorted(by: { $0.id < $1.id }) {
            events.append(request.event(.accessExpired(AccessExpired()), index: events.count, context))
        }
        events.append(
            context.event(
                events.count, stream: .person(id), sequence: 1, person: person.userID,
                .personErasureRequested(requested)))
        return events
    }

    /// Records that an erasure is done; nothing when that is recorded already.
    func recordErasure(_ id: PersonID, _ erased: PersonErased, _ context: DecisionContext) -> [Event] {
        guard let erasure = erasures[id], erasure.workspace == context.workspace else { return [] }
        return [context.event(0, stream: .person(id), sequence: erasure.streamSequence + 1, .personErased(erased))]
    }

    /// Refuses to begin anything for a person whose erasure is going on: it would be erased with the rest.
    func checkNotBeingErased(_ userID: String, _ context: DecisionContext) throws(Rejection) {
        let person = PersonName(workspace: context.workspace, userID: userID)
        guard erasures.values.contains(where: { $0.person == person }) else { return }
        throw Rejection(.personActive, "this user's data is being erased: try again in a moment")
    }
}

/// An erasure that has begun and is not done. Equal to another one of the same person, whether or not their name is known.
package struct ErasureState: Hashable, Sendable {
    package let id: PersonID
    package let workspace: WorkspaceName
    package let streamSequence: UInt64
    /// Who it is; `nil` when it was remembered in a snapshot, where no name may be.
    package let person: PersonName?

    package init(id: PersonID, workspace: WorkspaceName, streamSequence: UInt64, person: PersonName? = nil) {
        self.id = id
        self.workspace = workspace
        self.streamSequence = streamSequence
        self.person = person
    }

    package static func == (left: Self, right: Self) -> Bool {
        left.id == right.id && left.workspace == right.workspace && left.streamSequence == right.streamSequence
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(id) }
}

extension RunState {
    /// True when the person is one of several approvers of a call of the run, or approved one that is still to be made.
    fileprivate func hasVote(of userID: String) -> Bool {
        actions.contains { action in
            let voters = action.gate?.votes.map(\.approver) ?? []
            let approvers = action.status == .approved && !action.isSpent ? action.gate?.approvers ?? [] : []
            return (voters + approvers).contains { Optional($0).isPerson(userID) }
        }
    }
}

extension AccessRequestState {
    /// True when the person is its subject, asked for it, or has granted it.
    fileprivate func names(_ userID: String) -> Bool {
        requested.subject.isExactly(userID) || requester.isPerson(userID)
            || (grant?.approvers.contains { Optional($0).isPerson(userID) } ?? false)
    }
}

extension Actor? {
    fileprivate func isPerson(_ userID: String) -> Bool {
        if case .person = self?.kind { self?.name.isExactly(userID) ?? false } else { false }
    }
}
