import Domain

/// The run that a model call is for, as it was when the call came.
///
/// Holds none of the run's lists: a copy of them that is held for the time of a call makes each event copy them.
struct CallingRun: Sendable {
    let id: RunID
    let workspace: WorkspaceName
    let agentID: String
    let userID: String
    let isServerDriven: Bool
    /// The number of the attempt in the run.
    let attempt: UInt32

    init(_ run: RunState) {
        id = run.id
        workspace = run.workspace
        agentID = run.agentID
        userID = run.userID
        isServerDriven = run.isServerDriven
        attempt = run.calls.attempt
    }
}
