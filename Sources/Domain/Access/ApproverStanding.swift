/// Approvals count for as long as their approvers may approve: those of a key until it is revoked, whether or not it is
/// rotated or expires, and the vote of a link until its connector is deleted.
///
/// People have no such end besides the erasure of their data, which ends their grants and waits for runs with their votes.
extension ActiveState {
    /// The reason why an approver's votes, approvals and grants count no more; `nil` while they do.
    private func lostStanding(of approver: Actor) -> String? {
        guard case .apiKey(let key) = approver.kind, apiKeys[key] == nil else { return nil }
        return "the API key of an approver was revoked"
    }

    /// The reason why a vote on a blocked action does not count; `nil` when it does.
    private func lostStanding(of vote: ActionState.Vote) -> String? {
        // The messages of a connector are forgotten with it, and not before their action is decided.
        if case .decisionLink(let link) = vote.approver.kind, deliveries[link.deliveryID] == nil {
            return "the connector of an approver was deleted"
        }
        return lostStanding(of: vote.approver)
    }

    /// The votes on a blocked action that count.
    func countedVotes(on action: ActionState?) -> [ActionState.Vote] {
        (action?.gate?.votes ?? []).filter { lostStanding(of: $0) == nil }
    }

    /// The approvers of a grant: those whose votes counted, and the last one.
    func approvers(after votes: [ActionState.Vote], _ last: Actor) -> [Actor] {
        votes.map(\.approver).filter { lostStanding(of: $0) == nil } + [last]
    }

    /// The reason why the approval of an action counts no more; `nil` while it does.
    func lostStanding(ofApprovalOf action: ActionState) -> String? {
        (action.gate?.approvers ?? []).lazy.compactMap { lostStanding(of: $0) }.first
    }

    /// The reason why a grant counts no more; `nil` while it does, and without a grant.
    package func lostStanding(ofGrantOf request: AccessRequestState) -> String? {
        (request.grant?.approvers ?? []).lazy.compactMap { lostStanding(of: $0) }.first
    }

    /// The votes on a blocked action, each with the reason why it does not count; `nil` for one that does.
    package func votes(on action: ActionID, in run: RunID) -> [(vote: ActionState.Vote, lostStanding: String?)] {
        guard let action = runs[run]?.action(action), action.status == .blocked else { return [] }
        return (action.gate?.votes ?? []).map { ($0, lostStanding(of: $0)) }
    }
}
