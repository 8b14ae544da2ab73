import Domain

/// What a route asks of a key's or a person's role.
enum Permission: String, Hashable, Sendable {
    case read
    /// Read a run by its id: for every role, and for each person the runs that are for them.
    case readOwnRun = "read_own_run"
    /// Deploy, register, delete.
    case manageResources = "manage_resources"
    /// Create and move runs, add events, block actions.
    case driveRuns = "drive_runs"
    /// Invoke an agent: for whoever may drive runs, and for everybody whom a token proves.
    case invoke
    /// Ask for access, save checkpoints, report tool results.
    case actAsAgent = "act_as_agent"
    /// Approve and reject.
    case decide
    case manageKeys = "manage_keys"
    /// Have a person's data destroyed.
    case erasePeople = "erase_people"

    func isGranted(to principal: Principal) -> Bool {
        if case .person = principal.caller, self == .invoke || self == .readOwnRun { return true }
        return principal.role.map(isGranted) ?? false
    }

    /// The table of roles.
    private func isGranted(to role: Role) -> Bool {
        switch role {
        case .admin: true
        case .operator: self != .decide && self != .manageKeys && self != .erasePeople
        case .approver: self == .read || self == .readOwnRun || self == .decide
        case .agent:
            self == .read || self == .readOwnRun || self == .driveRuns || self == .invoke || self == .actAsAgent
        case .viewer: self == .read || self == .readOwnRun
        }
    }
}
