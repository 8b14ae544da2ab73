extension ActiveState {
    func createRun(_ create: CreateRun, _ context: DecisionContext) throws(Rejection) -> [Event] {
        let limits = context.settings.limits
        guard runs[create.runID] == nil else {
            throw Rejection(.invalidArgument, "a run with id \(create.runID) exists already")
        }
        try checkText(create.agentID, "agent_id", required: true, bytesMax: limits.textBytesMax)
        try checkText(create.userID, "user_id", required: true, bytesMax: limits.textBytesMax)
        try checkText(create.conversationID, "conversation_id", bytesMax: limits.textBytesMax)
        try checkText(create.invokeURL, "invoke_url", bytesMax: 2 * limits.textBytesMax)
        if let message = create.initialMessage, message.utf8.count > limits.documentBytesMax {
            throw Rejection(.invalidArgument, "message is larger than \(limits.documentBytesMax) bytes")
        }
        if let input = create.input, input.text.utf8.count > limits.documentBytesMax {
            throw Rejection(.invalidArgument, "the body is larger than \(limits.documentBytesMax) bytes")
        }
        try checkNotBeingErased(create.userID, context)
        if let stop = stop(ofAgent: create.agentID, in: context.workspace), !stop.holdsRuns { throw .stopped(stop) }
        let agent = exactly(ResourceKey(workspace: context.workspace, kind: .agent, name: create.agentID))
        let created = RunCreated(
            agentID: create.agentID, agentUID: agent?.id, userID: create.userID,
            conversationID: create.conversationID, invokeURL: create.invokeURL,
            initialMessage: create.initialMessage, input: create.input,
            deadline: context.time.adding(context.settings.runTimeout), user: create.user)
        try checkShares(of: RunState(id: create.runID, workspace: context.workspace, created: created), context)
        return RunDecision(creating: create.runID, created, context).events
    }

    /// Refuses a run for which its workspace, or the key or person that creates it, has no share left.
    private func checkShares(of run: RunState, _ context: DecisionContext) throws(Rejection) {
        let limits = context.settings.limits
        let principal: Actor.Kind? =
            switch context.actor.kind {
            case .apiKey, .person: context.actor.kind
            case .decisionLink, .system: nil
            }
        try usage.check(1, of: .runs, max: limits.activeRunsMax, run.workspace, principal, limits)
        try usage.check(
            run.footprint, of: .runBytes, max: limits.unfinishedBytesMax, run.workspace, principal, limits)
    }

    /// Refuses what makes a run larger when its workspace or its creator has no share left.
    func checkGrowth(of run: RunState, by bytes: Int, _ limits: Limits) throws(Rejection) {
        try usage.check(
            bytes, of: .runBytes, max: limits.unfinishedBytesMax, run.workspace, run.creator?.kind, limits)
    }

    func addRunEvents(
        _ id: RunID, _ added: [RunEventAdded], _ context: DecisionContext
    ) throws(Rejection) -> [Event] {
        let limits = context.settings.limits
        guard (1...limits.eventsPerCommandMax).contains(added.count) else {
            throw Rejection(
                .invalidArgument, "1 to \(limits.eventsPerCommandMax) events can be added at once, not \(added.count)")
        }
        let run = try runInTurn(id, context)
        for (index, each) in added.enumerated() {
            do throws(Rejection) {
                try check(each, of: run, context)
            } catch {
                guard added.count > 1 else { throw error }
                throw Rejection(error.code, "event \(index + 1) of \(added.count): \(error.message)")
            }
        }
        var decision = RunDecision(run, context)
        let agentID = context.agent.map { $0.name ?? run.agentID }
        for each in added { decision.record(.runEventAdded(each.recorded(for: agentID))) }
        return decision.events
    }

    private func check(
        _ added: RunEventAdded, of run: RunState, _ context: DecisionContext
    ) throws(Rejection) {
        let limits = context.settings.limits
        try checkText(added.type, "type", required: true, bytesMax: 128)
        try checkText(added.actor, "actor", bytesMax: limits.textBytesMax)
        try checkText(added.payloadHash, "payload_hash", bytesMax: limits.textBytesMax)
        try checkDocument(added.data, "data", limits)
        guard TimelineType.isWellFormed(added.type) else {
            throw Rejection(.invalidArgument, "type may hold ASCII letters, digits, and - _ . : / only")
        }
        guard !TimelineType.isReserved(added.type, serverDriven: run.isServerDriven) else {
            throw Rejection(
                .invalidArgument, "type \(added.type) states a fact that the server observes, which it alone writes")
        }
        guard let agent = context.agent, let actor = added.actor, !actor.isEmpty else { return }
        guard actor.isExactly(agent.name ?? run.agentID) else {
            throw Rejection(
                .agentMismatch, "actor must be the agent itself, or left out: other names belong in data")
        }
    }

    func changeRunStatus(
        _ id: RunID, _ status: RunStatus, _ context: DecisionContext
    ) throws(Rejection) -> [Event] {
        let run = try activeRun(id, context)
        guard run.status.canBecome(status) else {
            throw Rejection(
                .invalidTransition, "invalid transition from \(run.status.rawValue) to \(status.rawValue)")
        }
        if status == .running, let blocked = run.actions.first(where: { $0.status == .blocked }) {
            throw Rejection(
                .invalidTransition,
                "invalid transition from \(run.status.rawValue) to RUNNING: action \(blocked.id) is still BLOCKED")
        }
        var decision = RunDecision(run, context)
        if status == .failed {
            decision.fail(reason: "set by client", requests: accessRequests)
        } else {
            decision.record(.runStatusChanged(RunStatusChanged(status: status, reason: nil)))
        }
        return decision.events
    }

    func failRun(_ id: RunID, _ reason: String, _ context: DecisionContext) throws(Rejection) -> [Event] {
        var decision = RunDecision(try activeRun(id, context), context)
        decision.fail(reason: reason, requests: accessRequests)
        return decision.events
    }

    func saveCheckpoint(
        _ id: RunID, _ saved: CheckpointSaved, _ context: DecisionContext
    ) throws(Rejection) -> [Event] {
        try checkText(saved.actionID, "action_id", required: true, bytesMax: context.settings.limits.textBytesMax)
        try checkDocument(saved.document, "checkpoint", context.settings.limits)
        var decision = RunDecision(try runInTurn(id, context), context)
        decision.record(.checkpointSaved(saved.withoutConsentLinks))
        return decision.events
    }

    func recordToolResult(
        _ id: RunID, _ recorded: ToolResultRecorded, _ context: DecisionContext
    ) throws(Rejection) -> [Event] {
        try checkDocument(recorded.document, "tool result", context.settings.limits)
        var decision = RunDecision(try runInTurn(id, context), context)
        decision.record(.toolResultRecorded(recorded.withoutConsentLinks))
        return decision.events
    }
}
