/// The reach of keys that decide only on requests of their groups (`only_groups`).
extension ActiveState {
    /// Refuses such a key a decision on a request that names none of its groups, or no group at all.
    ///
    /// - Parameter requirement: the approvals that the request needs; `nil` for one that a client made.
    func checkReach(over requirement: RequiredApproval?, _ context: DecisionContext) throws(Rejection) {
        guard case .apiKey(let id) = context.actor.kind, let key = apiKeys[id], key.onlyGroups else { return }
        let named = requirement?.clauses.allGroups ?? []
        guard !named.contains(where: { group in key.groups.contains { $0.isExactly(group) } }) else { return }
        let request = named.isEmpty ? "names no group" : "waits for \(named.joined(separator: ", "))"
        throw Rejection(
            .notAnApprover,
            "this key decides only on requests of its groups (\(key.groups.joined(separator: ", "))), and this one "
                + "\(request): another approver has to decide")
    }
}
