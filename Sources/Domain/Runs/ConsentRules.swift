extension ActiveState {
    /// Stops a run until its user consents to calls of a tool; once for each tool, however often the agent calls it.
    ///
    /// - Returns: nothing when the run waits for that consent already.
    func requireConsent(
        _ id: RunID, _ require: RequireConsent, _ context: DecisionContext
    ) throws(Rejection) -> [Event] {
        let waiting = try runInTurn(id, context)
        try checkAttempt(of: waiting, requestID: context.attemptID)
        if waiting.consent(toolID: require.toolID) != nil { return [] }
        let run = try runCalling(id, agent: require.agentID, context)
        try checkRoom(for: run, context)
        let limits = context.settings.limits
        guard run.actions.count < limits.actionsPerRunMax else {
            throw .limitReached("actions of one run", limits.actionsPerRunMax)
        }
        var decision = RunDecision(run, context)
        decision.record(
            .actionBlocked(
                ActionBlocked(
                    actionID: require.actionID, toolID: require.toolID, capability: nil, payloadHash: nil, method: nil,
                    url: nil, accessRequestID: nil, expiresAt: context.time.adding(context.settings.approvalWindow),
                    isConsent: true)))
        return decision.events
    }

    /// Keeps the user's token and lets the run go on, in one.
    func giveConsent(_ id: RunID, _ give: GiveConsent, _ context: DecisionContext) throws(Rejection) -> [Event] {
        let run = try activeRun(id, context)
        guard let action = run.action(give.actionID), action.isConsent else { throw .actionNotActive(give.actionID) }
        guard action.status == .blocked else {
            throw Rejection(.actionNotBlocked, "action is \(action.status.rawValue), must be BLOCKED to consent to")
        }
        let owner = ResourceKey(workspace: run.workspace, kind: .tool, name: action.toolID)
        guard resources[owner] != nil else { throw .resourceNotFound(owner.kind, owner.name) }
        var decision = RunDecision(run, context)
        decision.record(
            .actionApproved(
                ActionApproved(actionID: action.id, payloadHash: nil, reason: give.scope, isConsent: true)))
        // Nobody reports that the client of a run has gone on.
        if !run.isServerDriven { decision.record(.actionExecuted(ActionExecuted(actionID: action.id))) }
        decision.resumeIfUnblocked()
        var draft = SecretsDraft(count: secretCount)
        return decision.events
            + (try storeSecrets([give.token], of: owner, &draft, eventsBefore: decision.events.count, context))
    }
}

extension RunState {
    /// The action that waits for the user's consent to calls of a tool.
    package func consent(toolID: String) -> ActionState? {
        actions.first { $0.isConsent && $0.status == .blocked && $0.toolID == toolID }
    }
}
