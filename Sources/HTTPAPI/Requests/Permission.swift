import Domain

/// What a route asks of a key's role.
enum Permission: Hashable, Sendable {
    case read
    /// Deploy, register, delete.
    case manageResources
    /// Create and move runs, add events, block actions.
    case driveRuns
    /// Ask for access, save checkpoints, report tool results.
    case actAsAgent
    /// Approve and reject.
    case decide
    case manageKeys

    /// The table of roles.
    func isGranted(to role: Role) -> Bool {
        switch role {
        case .admin: true
        case .operator: self == .read || self == .manageResources || self == .driveRuns || self == .actAsAgent
        case .approver: self == .read || self == .decide
        case .agent: self == .read || self == .driveRuns || self == .actAsAgent
        case .viewer: self == .read
        }
    }
}
