import Domain

/// What a route asks of a key's or a person's role.
enum Permission: String, Hashable, Sendable {
    case read
    /// Read a run by its id: for every role, and for each person the runs that are for them.
    case readOwnRun = "read_own_run"
    /// Read the daemon's metrics, which are of all workspaces.
    case readMetrics = "read_metrics"
    /// Deploy, register, delete.
    case manageResources = "manage_resources"
    /// Create runs, which names their user and the address that Sluice calls; change their status, cancel them.
    case createRuns = "create_runs"
    /// Add events and block actions; agents do so within their turns.
    case driveRuns = "drive_runs"
    /// Invoke an agent: granted to roles that may create runs, and to every person who is proven by a token.
    case invoke
    /// Ask for access, save checkpoints, report tool results.
    case actAsAgent = "act_as_agent"
    /// Approve and reject.
    case decide
    case manageKeys = "manage_keys"
    /// Have a person's data destroyed.
    case erasePeople = "erase_people"
    /// Confirm a step of the wall clock, after which what is due then expires.
    case confirmClock = "confirm_clock"

    /// True for routes whose bodies are data of runs: there NUL is a character like any other.
    var isOfRuns: Bool {
        switch self {
        case .read, .readOwnRun, .createRuns, .driveRuns, .invoke, .actAsAgent, .decide: true
        case .readMetrics, .manageResources, .manageKeys, .erasePeople, .confirmClock: false
        }
    }

    /// Faults that agents' JSON may have: languages whose strings hold half of a surrogate pair write it as an escape.
    var repairs: JSONRepairs {
        switch self {
        case .driveRuns, .actAsAgent: .surrogates
        case .read, .readOwnRun, .readMetrics, .manageResources, .createRuns, .invoke, .decide, .manageKeys,
            .erasePeople, .confirmClock:
            []
        }
    }

    /// True for what concerns all workspaces: it is for keys and people of the default one.
    private var isOfDeployment: Bool { self == .readMetrics || self == .confirmClock }

    func isGranted(to principal: Principal) -> Bool {
        if isOfDeployment, principal.workspace != .default { return false }
        if case .person = principal.caller, self == .invoke || self == .readOwnRun { return true }
        return principal.role.map(isGranted) ?? false
    }

    /// The table of roles.
    private func isGranted(to role: Role) -> Bool {
        switch role {
        case .admin: true
        case .operator:
            self != .decide && self != .manageKeys && self != .erasePeople && !isOfDeployment
        case .approver: self == .read || self == .readOwnRun || self == .decide
        case .agent: self == .read || self == .readOwnRun || self == .driveRuns || self == .actAsAgent
        case .viewer: self == .read || self == .readOwnRun
        case .metrics: self == .readMetrics
        }
    }

    /// The roles that have the permission.
    var roles: [Role] { Role.allCases.filter(isGranted) }

    /// The reason why a role lacks the permission, for the error; `nil` where the role's name says enough.
    var hint: String? {
        switch self {
        case .createRuns, .invoke:
            "runs are created, changed and cancelled by operators and admins, or by a person who signs in to invoke an agent"
        case .readMetrics: "the metrics are of all workspaces: use a key of role metrics or admin of the default one"
        case .confirmClock: "the clock is every workspace's: use an admin key of the default one"
        case .read, .readOwnRun, .manageResources, .driveRuns, .actAsAgent, .decide, .manageKeys, .erasePeople: nil
        }
    }
}
