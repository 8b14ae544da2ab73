extension RequiredApproval {
    /// One approval, by any approver, with or without a signature.
    static let plain = RequiredApproval(name: "", groups: [], needsEveryGroup: false, duration: nil)

    /// True when approvals that meet the other requirement are all that this one asks for as well: each clause of this one
    /// holds all groups of a clause of the other, and signatures are asked for by both.
    func isSatisfied(by met: RequiredApproval) -> Bool {
        (met.needsSignature || !needsSignature) && clauses.isMet(by: met.clauses)
    }

    /// The longest grant that the rule allows, or the settings where it says nothing.
    func grantDurationMax(_ settings: DecisionSettings) -> Duration { durationMax ?? settings.grantDurationMax }

    /// The same requirement as approvals have met it: signed when all of them were.
    fileprivate func met(signed isSigned: Bool) -> RequiredApproval {
        RequiredApproval(
            name: name, groups: groups, needsEveryGroup: needsEveryGroup, duration: duration, delivery: nil,
            needsSignature: isSigned, durationMax: durationMax, mixedClauses: mixedClauses)
    }
}

extension AccessScope {
    /// Orders scopes from narrow to wide.
    private var width: Int {
        switch self {
        case .once: 0
        case .run: 1
        case .agentUserTTL: 2
        }
    }

    /// True when everything that this scope covers is covered by the other as well.
    package func isWithin(_ other: AccessScope) -> Bool { width <= other.width }

    func narrower(_ other: AccessScope) -> AccessScope { isWithin(other) ? self : other }
}

/// The decision of one approver on a request for access.
struct GivenApproval {
    let scope: AccessScope
    /// `nil` when the approver does not say.
    let duration: Duration?
    let reason: String?
    let signature: DecisionSignature?

    /// The approval of a single call.
    static func once(_ reason: String?, _ signature: DecisionSignature?) -> GivenApproval {
        GivenApproval(scope: .once, duration: nil, reason: reason, signature: signature)
    }
}

/// Refuses a grant that is longer than the rule allows, or the settings where no rule says.
func checkGrantDuration(
    _ duration: Duration?, _ requirement: RequiredApproval?, _ settings: DecisionSettings
) throws(Rejection) {
    let longest = (requirement ?? .plain).grantDurationMax(settings)
    guard let duration, duration > longest else { return }
    let source = requirement?.durationMax.map { _ in "approval rule \"\(requirement?.name ?? "")\"" }
    throw Rejection(
        .invalidArgument,
        "duration must be at most \(DurationText.format(longest)), the limit of \(source ?? "grant-duration-max")")
}

extension AccessRequestState {
    /// The grant that the last approval of the request makes: no wider than any of the approvers agrees to.
    ///
    /// - Parameters:
    ///   - groups: the groups that the last approver stands for.
    ///   - votes: the approvals before it that count.
    func approval(
        _ given: GivenApproval, for groups: [String], of action: ActionState?, after votes: [ActionState.Vote],
        _ context: DecisionContext
    ) -> AccessApproved {
        let requirement = action?.gate?.requirement ?? .plain
        let own = given.duration ?? min(requested.duration, requirement.grantDurationMax(context.settings))
        let duration = votes.compactMap(\.duration).reduce(own, min)
        return AccessApproved(
            approverID: context.actor.name, scope: votes.reduce(given.scope) { $0.narrower($1.scope) },
            duration: duration, expiresAt: context.time.adding(duration), reason: given.reason,
            signature: given.signature,
            requirement: requirement.met(signed: given.signature != nil && votes.allSatisfy(\.isSigned)),
            approvedGroups: Set(groups + votes.flatMap(\.groups)).sorted())
    }

    /// True when the grant stands for the approval of the call.
    ///
    /// It does so for calls that ask for nothing stricter than its approvals met, for as long as the call's own rule
    /// lets a grant last, and never in a run that one of its approvers may not approve calls of. It is for the tool that
    /// its approvers were shown, at the same origin, and for the agent that existed then: one that is deployed later under the
    /// same name needs its own. A grant that does not say which tool, of an older version, covers nothing; one that does
    /// not say which agent covers runs of an agent that was never deployed.
    func covers(
        _ begin: BeginToolCall, of run: RunState, _ requirement: RequiredApproval, _ context: DecisionContext
    ) -> Bool {
        let call = begin.call
        guard let grant, expiresAt > context.time, workspace == run.workspace, requested.toolID == call.toolID,
            requested.tool == begin.tool, requested.agentID == run.agentID, requested.agentUID == run.agentUID,
            requirement.isSatisfied(by: grant.requirement),
            grant.grantedAt.adding(requirement.grantDurationMax(context.settings)) > context.time,
            context.settings.allowsSelfApproval || !grant.approvers.contains(where: run.isOwn)
        else { return false }
        return switch grant.scope {
        case .run: requested.run?.runID == run.id && isAbout(call)
        case .agentUserTTL:
            requested.subject.isExactly(run.userID) && (requested.isForOneCall || isAbout(call))
        case .once: false
        }
    }

    /// True for calls of the same capability; of a tool that declares none, for the same method and URL.
    ///
    /// A client's request covers no more than its approver read.
    private func isAbout(_ call: ToolCall) -> Bool {
        guard requested.isForOneCall else { return GrantCoverage(requested).covers(call) }
        guard let called = call.capability else {
            guard requested.capability == nil, let method = requested.method, let url = requested.url else {
                return false
            }
            return method.isExactly(call.method) && url.isExactly(call.url)
        }
        return requested.capability?.isExactly(called) ?? false
    }
}
