/// Who may approve a call that the gate has blocked.
enum ApproverDecision {
    /// It is the last one needed; the groups that the approver stands for.
    case approves([String])
    /// The approval counts, and others have to follow.
    case votes([String])
    /// All that it could add is there already.
    case changesNothing
}

/// The effect of an approval.
enum ApprovalStep {
    /// Others have to follow. The events of the vote; none when it adds nothing.
    case incomplete([Event])
    /// It was the last one needed. The groups that the approver stands for.
    case complete(groups: [String])
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
        try checkReach(over: action.gate?.requirement, context)
        let groups: [String]
        switch context.actor.kind {
        case .system: return .approves([])
        case .apiKey(let key):
            if action.gate == nil { return .approves([]) }
            groups = apiKeys[key]?.groups ?? []
        case .person: groups = context.actorGroups
        // Nobody knows who it is: what counts is that an administrator lets the connector's links decide.
        case .decisionLink(let link): groups = [link.group]
        }
        guard context.settings.allowsSelfApproval || !run.isOwn(context.actor) else {
            throw Rejection(
                .selfApproval,
                "the creator and the user of a run may not approve its calls: another approver has to decide on action "
                    + "\(action.id)")
        }
        guard let gate = action.gate, !gate.requirement.groups.isEmpty else { return .approves([]) }
        let clauses = gate.requirement.clauses
        let mine = clauses.allGroups.filter { group in groups.contains { $0.isExactly(group) } }
        guard !mine.isEmpty else {
            let needed = gate.requirement.groups.joined(separator: ", ")
            throw Rejection(
                .notAnApprover,
                "action \(action.id) waits for a member of \(needed), and \(context.actor.approver) is in none of these: "
                    + "one of their members has to decide"
            )
        }
        let approved = countedVotes(on: action).flatMap(\.groups)
        // An approver in several of the groups stands for each of them.
        if clauses.open(after: approved + mine).isEmpty { return .approves(mine) }
        let open = clauses.open(after: approved)
        let added = mine.filter { group in open.contains { $0.contains { $0.isExactly(group) } } }
        return added.isEmpty ? .changesNothing : .votes(added)
    }

    /// Refuses a person's approval of what they asked for, or would get themselves.
    func checkNotOwn(_ request: AccessRequestState, _ context: DecisionContext) throws(Rejection) {
        guard case .person = context.actor.kind, request.isOwn(context.actor), !context.settings.allowsSelfApproval
        else { return }
        throw Rejection(
            .selfApproval,
            "an approver may not approve their own request: another approver has to decide on request \(request.id)")
    }

    /// Returns the effect of an approval, once it is known to be allowed.
    ///
    /// - Throws: `signatureRequired`, `invalidArgument` for a longer grant than the rule allows, and what
    ///   `approval(of:in:_:)` throws.
    func step(
        _ given: GivenApproval, for action: ActionState, in run: RunState, _ context: DecisionContext
    ) throws(Rejection) -> ApprovalStep {
        let approval = try approval(of: action, in: run, context)
        let requirement = action.gate?.requirement
        guard given.signature != nil || requirement?.needsSignature != true else {
            throw .signatureRequired(run.id, action.id)
        }
        try checkGrantDuration(given.duration, requirement, context.settings)
        switch approval {
        case .approves(let groups): return .complete(groups: groups)
        case .changesNothing: return .incomplete([])
        case .votes(let groups):
            var decision = RunDecision(run, context)
            decision.record(
                .actionVoted(
                    ActionVoted(
                        actionID: action.id, approverID: context.actor.name, groups: groups, reason: given.reason,
                        signature: given.signature, scope: given.scope,
                        duration: given.scope == .once ? nil : given.duration)))
            return .incomplete(decision.events)
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
    /// Whom a refused approval is told of.
    fileprivate var approver: String {
        switch kind {
        case .apiKey, .system: "the key"
        case .person, .decisionLink: name
        }
    }
}
