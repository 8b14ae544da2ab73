/// The workspace that a person belongs to and the principal that named them first, as numbers which say nothing of either.
/// Zero stands for an owner that is not known.
package struct KeyOwner: Hashable, Sendable {
    package let workspace: UInt64
    package let principal: UInt64

    package init(workspace: UInt64 = 0, principal: UInt64 = 0) {
        self.workspace = workspace
        self.principal = principal
    }
}

/// The parts that workspaces and principals have of the people with a key.
///
/// A person counts from the event that names them first until their erasure.
package struct PeopleUsage: Hashable, Sendable {
    private var workspaces = ShareBook<UInt64>()
    private var principals = ShareBook<UInt64>()

    package init() {}

    /// The reason to refuse one more person: there is no room, or it exceeds the share of the workspace, or of the
    /// principal in what the workspace may have.
    package func refusal(of owner: KeyOwner, in workspace: WorkspaceName, _ rule: ShareRule) -> Rejection? {
        let (taken, held) = (workspaces.taken, workspaces.held(by: owner.workspace))
        switch rule.refusal(of: 1, held: held, taken: taken) {
        case .exhausted:
            return Rejection(
                .limitReached,
                "Sluice has the keys of \(taken) people, and people-max is \(rule.total): requests about known users are "
                    + "accepted; erase people, or raise people-max")
        case .shareExceeded: return Self.exceeded("workspace \(workspace.text)", held)
        case nil: break
        }
        guard owner.principal != 0, held > 0 else { return nil }
        let own = principals.held(by: owner.principal)
        let refusal = rule.part(leaving: taken - held).refusal(of: 1, held: own, taken: held)
        return refusal.map { _ in Self.exceeded("this key", own) }
    }

    private static func exceeded(_ holder: String, _ held: Int) -> Rejection {
        Rejection(
            .shareExceeded,
            "\(holder) has brought in \(held) people, and the rest of people-max is kept for others: requests about known "
                + "users are accepted; erase people, or raise people-max or principal-share")
    }

    package mutating func take(_ owner: KeyOwner) {
        workspaces.take(1, for: owner.workspace)
        if owner.principal != 0 { principals.take(1, for: owner.principal) }
    }

    package mutating func release(_ owner: KeyOwner) {
        workspaces.release(1, of: owner.workspace)
        if owner.principal != 0 { principals.release(1, of: owner.principal) }
    }
}
