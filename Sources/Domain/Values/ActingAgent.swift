/// The agent that a command comes from; it acts on its own runs alone.
package struct ActingAgent: Hashable, Sendable {
    /// The agent's name; `nil` for a key that may speak for any agent of its workspace.
    package let name: String?
    /// True for an agent that Sluice runs: it has a run to act on only while it is called for one.
    package let isManaged: Bool
    /// The runs that the agent's process was called for when the command came; `nil` for an agent without a process here.
    package let turns: Set<RunID>?
    /// True for an agent's process that was not called for any run yet.
    package let isStarting: Bool

    package init(name: String?, isManaged: Bool, turns: Set<RunID>? = nil, isStarting: Bool = false) {
        self.name = name
        self.isManaged = isManaged
        self.turns = turns
        self.isStarting = isStarting
    }

    /// True in a turn of the run. Another process of the same agent may be in one: an earlier version that is still at a
    /// run of its own has no part in the runs of its successor.
    func isInTurn(of run: RunState) -> Bool {
        guard isManaged else { return true }
        return run.isServerDriven && turns?.contains(run.id) ?? true
    }

    func owns(_ run: RunState) -> Bool { name == nil || name == run.agentID }
}

extension ActiveState {
    /// The unfinished run, when the command's agent may act on it: every effect of an agent on a run begins here.
    ///
    /// A run that its client drives has no turns: an external agent may act on it until it is finished. A run belongs to
    /// the agent that it was created for: one that is deployed later under the same name has no part in it.
    func runInTurn(_ id: RunID, _ context: DecisionContext) throws(Rejection) -> RunState {
        let run = try activeRun(id, context)
        let recordedBytesMax = context.settings.limits.recordedBytesPerRunMax
        guard run.recordedBytes < recordedBytesMax else {
            throw Rejection(
                .runFull,
                "run \(id) is full: it has recorded \(recordedBytesMax) bytes, and nothing is added to it; let it end, and "
                    + "start another run")
        }
        guard let agent = context.agent else { return run }
        if let stop = stop(ofAgent: run.agentID, in: run.workspace) { throw .stopped(stop) }
        guard isCurrent(agentOf: run) else {
            throw Rejection(
                .agentMismatch, "run \(id) is one of an earlier agent \(run.agentID), which was deleted")
        }
        try checkAttempt(of: run, requestID: context.attemptID)
        guard !agent.isInTurn(of: run) else { return run }
        throw Rejection(
            .notInTurn,
            "the agent is not in a turn of run \(id): it acts on a run only while it is called for it")
    }

    /// True while the agent that the run was created for exists, and of a run that was created before its agent.
    package func isCurrent(agentOf run: RunState) -> Bool {
        guard let agentUID = run.agentUID else { return true }
        return agentUID == self.agentUID(named: run.agentID, run.workspace)
    }

    /// The resource id of the agent of that name.
    package func agentUID(named name: String, _ workspace: WorkspaceName) -> ResourceID? {
        exactly(ResourceKey(workspace: workspace, kind: .agent, name: name))?.id
    }

    /// Refuses what a superseded attempt of a run asks for. Sluice calls the agent of a run that it drives, and one such
    /// call at a time is live.
    ///
    /// - Parameter requestID: the request's `X-Request-Id`. A request that names no attempt of the run belongs to the
    ///   live one, because not every client of an agent sends it.
    package func checkAttempt(of run: RunState, requestID: String?) throws(Rejection) {
        guard run.isServerDriven else { return }
        guard let open = run.openInvoke else {
            throw .attemptSuperseded(run.id, "the agent is called again when the run goes on")
        }
        guard let requestID, requestID.hasPrefix("req-\(run.id)-"), requestID != open.requestID else { return }
        throw .attemptSuperseded(run.id, "attempt \(open.requestID) has taken its place")
    }

    /// Checks that an agent asks for access only for the user of a run that it is in a turn of.
    func checkSubject(of request: RequestAccess, _ context: DecisionContext) throws(Rejection) {
        guard context.agent != nil else { return }
        guard let id = request.runID else {
            throw Rejection(
                .foreignSubject,
                "run_id is required: an agent asks for access for the user of a run that it is called for")
        }
        let run = try runInTurn(id, context)
        guard request.subject.utf8.elementsEqual(run.userID.utf8) else {
            throw Rejection(
                .foreignSubject, "subject must be the user of run \(id): an agent cannot ask for another user")
        }
        guard request.agentID.map({ $0 == run.agentID }) ?? true else {
            throw Rejection(.agentMismatch, "agent_id must be the agent of run \(id), or left out")
        }
    }
}

extension Rejection {
    fileprivate static func attemptSuperseded(_ run: RunID, _ reason: String) -> Rejection {
        Rejection(.attemptSuperseded, "this attempt of run \(run) is over: \(reason); stop, nothing was done")
    }
}
