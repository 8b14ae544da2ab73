/// Who may approve a call that the gate has blocked.
enum ApproverDecision {
    /// Nobody else has to.
    case approves
    /// The approval counts, and others have to follow.
    case votes([String])
    /// All that it could add is there already.
    case changesNothing
}

extension ActiveState {
    /// What the actor's approval of an action means. An action that a client blocked is any key's to approve whose role
    /// allows it, and any person's but those whose run it is.
    ///
    /// - Throws: `selfApproval` for whoever started the run, unless settings allow it; `notAnApprover` for a key or a
    ///   person of none of the groups that the policy names.
    func approval(
        of action: ActionState, in run: RunState, _ context: DecisionContext
    ) throws(Rejection) -> ApproverDecision {
        let groups: [String]
        switch context.actor.kind {
        case .system: return .approves
        case .apiKey(let key):
            if action.gate == nil { return .approves }
            groups = apiKeys[key]?.groups ?? []
        case .person: groups = context.actorGroups
        // Nobody knows who it is: what counts is that an administrator lets the connector's links decide.
        case .decisionLink(let link): groups = [link.group]
        }
        let isOwn = context.actor.kind == run.creator?.kind || context.actor.isNamed(run.userID)
        guard !isOwn || context.settings.allowsSelfApproval else {
            throw Rejection(
                .selfApproval,
                "whoever started a run may not approve its calls: let somebody else approve action \(action.id)")
        }
        guard let gate = action.gate, !gate.groups.isEmpty else { return .approves }
        let mine = Set(groups).intersection(gate.groups)
        guard !mine.isEmpty else {
            throw Rejection(
                .notAnApprover,
                "action \(action.id) waits for a member of \(gate.groups.joined(separator: ", ")); \(context.actor.approver) is in none"
            )
        }
        guard gate.needsEveryGroup else { return .approves }
        let added = mine.subtracting(gate.approvedGroups).sorted()
        if Set(gate.approvedGroups).union(added).isSuperset(of: gate.groups) { return .approves }
        return added.isEmpty ? .changesNothing : .votes(added)
    }

    /// Refuses a person's approval of what they asked for themselves, where no run says whose it is.
    func checkNotOwn(_ request: AccessRequestState, _ context: DecisionContext) throws(Rejection) {
        guard case .person = context.actor.kind, context.actor.isNamed(request.requested.subject),
            !context.settings.allowsSelfApproval
        else { return }
        throw Rejection(
            .selfApproval, "nobody approves their own request: let somebody else approve request \(request.id)")
    }

    /// The events of an approval that is not the last one needed; `nil` when it is.
    func vote(
        for action: ActionState, in run: RunState, reason: String?, _ signature: DecisionSignature?,
        _ context: DecisionContext
    ) throws(Rejection) -> [Event]? {
        let approval = try approval(of: action, in: run, context)
        guard signature != nil || action.gate?.needsSignature != true else {
            throw .signatureRequired(run.id, action.id)
        }
        switch approval {
        case .approves: return nil
        case .changesNothing: return []
        case .votes(let groups):
            var decision = RunDecision(run, context)
            decision.record(
                .actionVoted(
                    ActionVoted(
                        actionID: action.id, approverID: context.actor.name, groups: groups, reason: reason,
                        signature: signature)))
            return decision.events
        }
    }
}

extension Rejection {
    fileprivate static func signatureRequired(_ run: RunID, _ action: ActionID) -> Rejection {
        Rejection(
            .signatureRequired,
            "the policy wants every approval of action \(action) signed with the approver's own SSH key, which links and "
                + "buttons in messages cannot do: use `sluice approve --run \(run) --action \(action) --sign-with KEY`, or "
                + "sign the text of GET /runs/\(run)/actions/\(action)/statement?decision=approve with `ssh-keygen -Y sign "
                + "-n \(DecisionSignature.namespace)` and send it as signature; rejecting needs none")
    }
}

extension Actor {
    /// User ids are e-mail addresses more often than not: another case of letters is no other person.
    fileprivate func isNamed(_ userID: String) -> Bool { name.lowercased() == userID.lowercased() }

    /// Whom a refused approval is told of.
    fileprivate var approver: String {
        switch kind {
        case .apiKey, .system: "the key"
        case .person, .decisionLink: name
        }
    }
}
