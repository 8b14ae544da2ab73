extension ActiveState {
    func blockAction(
        _ id: RunID, _ block: BlockAction, _ context: DecisionContext
    ) throws(Rejection) -> [Event] {
        let run = try runInTurn(id, context)
        var decision = RunDecision(run, context)
        try decision.block(block, request: nil)
        let added = block.toolID.utf8.count + (block.url?.utf8.count ?? 0)
        try checkGrowth(of: run, by: ActionState.ownBytes + added, context.settings.limits)
        return decision.events
    }

    func approveAction(
        _ id: RunID, _ actionID: ActionID, _ hash: PayloadHash?, _ reason: String?, _ signature: DecisionSignature?,
        _ context: DecisionContext
    ) throws(Rejection) -> [Event] {
        let (run, action) = try blockedAction(id, actionID, "approve", context)
        try action.checkNotOver(context)
        guard !action.isConsent else {
            throw Rejection(
                .consentIsTheUsers,
                "action \(actionID) waits for the consent of the run's user alone: let them open its "
                    + "authorization_url")
        }
        try checkText(reason, "reason", bytesMax: context.settings.limits.textBytesMax)
        try checkSignature(signature, context.settings.limits)
        try checkHash(hash, of: action, isRequired: true)
        let given = GivenApproval.once(reason, signature)
        let groups: [String]
        switch try step(given, for: action, in: run, context) {
        case .incomplete(let events): return events
        case .complete(let standsFor): groups = standsFor
        }
        var decision = RunDecision(run, context)
        decision.record(
            .actionApproved(
                ActionApproved(
                    actionID: actionID, payloadHash: action.payloadHash, reason: reason, signature: signature)))
        if let requestID = action.accessRequestID, let request = accessRequests[requestID], request.isPending {
            let approved = request.approval(given, for: groups, of: action, after: countedVotes(on: action), context)
            decision.record(
                on: .accessRequest(requestID), sequence: request.streamSequence + 1, .accessApproved(approved))
        }
        decision.resumeIfUnblocked()
        return decision.events
    }

    func rejectAction(
        _ id: RunID, _ actionID: ActionID, _ reason: String?, _ signature: DecisionSignature?,
        _ context: DecisionContext
    ) throws(Rejection) -> [Event] {
        let (run, action) = try blockedAction(id, actionID, "reject", context)
        try checkReach(over: action.gate?.requirement, context)
        try checkText(reason, "reason", bytesMax: context.settings.limits.textBytesMax)
        try checkSignature(signature, context.settings.limits)
        var decision = RunDecision(run, context)
        decision.record(
            .actionRejected(ActionRejected(actionID: actionID, reason: reason, signature: signature)))
        if let requestID = action.accessRequestID, let request = accessRequests[requestID], request.isPending {
            let rejected = AccessRejected(approverID: context.actor.name, reason: reason, signature: signature)
            decision.record(
                on: .accessRequest(requestID), sequence: request.streamSequence + 1, .accessRejected(rejected))
        }
        decision.fail(reason: "action \(actionID) was rejected", requests: accessRequests)
        return decision.events
    }

    func expireAction(
        _ id: RunID, _ actionID: ActionID, _ context: DecisionContext
    ) throws(Rejection) -> [Event] {
        let (run, action) = try blockedAction(id, actionID, "expire", context)
        guard action.expiresAt <= context.time else {
            throw Rejection(.invalidArgument, "action \(actionID) does not expire before \(action.expiresAt)")
        }
        var decision = RunDecision(run, context)
        decision.record(.actionExpired(ActionExpired(actionID: actionID)))
        decision.closeRequest(of: action, requests: accessRequests)
        decision.fail(reason: "the approval of action \(actionID) expired", requests: accessRequests)
        return decision.events
    }

    func markActionExecuted(
        _ id: RunID, _ actionID: ActionID, _ context: DecisionContext
    ) throws(Rejection) -> [Event] {
        var decision = RunDecision(try approvedAction(id, actionID, context), context)
        decision.record(.actionExecuted(ActionExecuted(actionID: actionID)))
        return decision.events
    }

    func markActionFailed(
        _ id: RunID, _ actionID: ActionID, _ reason: String, _ context: DecisionContext
    ) throws(Rejection) -> [Event] {
        var decision = RunDecision(try approvedAction(id, actionID, context), context)
        decision.record(.actionFailed(ActionFailed(actionID: actionID, reason: reason)))
        return decision.events
    }

    private func approvedAction(
        _ id: RunID, _ actionID: ActionID, _ context: DecisionContext
    ) throws(Rejection) -> RunState {
        let run = try activeRun(id, context)
        guard let action = run.action(actionID) else { throw .actionNotActive(actionID) }
        guard action.status == .approved else {
            throw Rejection(
                .actionNotApproved, "action is \(action.status.rawValue), must be APPROVED to record its execution")
        }
        return run
    }

    private func blockedAction(
        _ id: RunID, _ actionID: ActionID, _ verb: String, _ context: DecisionContext
    ) throws(Rejection) -> (RunState, ActionState) {
        let run = try activeRun(id, context)
        guard let action = run.action(actionID) else { throw .actionNotActive(actionID) }
        guard action.status == .blocked else {
            throw Rejection(.actionNotBlocked, "action is \(action.status.rawValue), must be BLOCKED to \(verb)")
        }
        return (run, action)
    }
}

extension ActionState {
    /// Refuses an approval after the end of the wait, whether or not that end is recorded yet.
    func checkNotOver(_ context: DecisionContext) throws(Rejection) {
        guard expiresAt <= context.time else { return }
        throw Rejection(
            .actionNotBlocked, "the wait of action \(id) ended at \(expiresAt): let the agent make its call again")
    }
}

/// What was approved is what runs: the given hash must be the one the action was blocked with.
func checkHash(_ hash: PayloadHash?, of action: ActionState, isRequired: Bool) throws(Rejection) {
    switch (action.payloadHash, hash) {
    case (nil, nil): return
    case (.some(let expected), .some(let given)) where expected.matches(given): return
    case (.some, nil) where !isRequired: return
    case (.some, nil):
        throw Rejection(
            .payloadHashMismatch,
            "payload_hash mismatch: the action has a payload hash and the approval gives none; "
                + "send it in the X-Payload-Hash header or as payload_hash")
    case (.some, .some), (nil, .some):
        throw Rejection(.payloadHashMismatch, "payload_hash mismatch")
    }
}

extension RunDecision {
    /// Blocks a call: the action, and the run paused with it.
    mutating func block(_ block: BlockAction, request: AccessRequestID?) throws(Rejection) {
        let limits = context.settings.limits
        try checkText(block.toolID, "tool_id", required: true, bytesMax: limits.textBytesMax)
        try checkText(block.capability, "capability", bytesMax: limits.textBytesMax)
        try checkText(block.payloadHash?.text, "payload_hash", bytesMax: limits.textBytesMax)
        try checkText(block.method, "tool_method", bytesMax: 64)
        try checkText(block.url, "tool_url", bytesMax: 8 * limits.textBytesMax)
        // A turn goes on after a call of it was blocked, and may come to the next that is.
        guard run.status == .running || block.gate != nil else {
            throw Rejection(.runNotRunning, "run is \(run.status.rawValue), must be RUNNING to create actions")
        }
        guard run.actions.count < limits.actionsPerRunMax else {
            throw .limitReached("actions of one run", limits.actionsPerRunMax)
        }
        record(
            .actionBlocked(
                ActionBlocked(
                    actionID: block.actionID, toolID: block.toolID, capability: block.capability,
                    payloadHash: block.payloadHash, method: block.method, url: block.url, accessRequestID: request,
                    expiresAt: context.time.adding(context.settings.approvalWindow), call: block.gate)))
    }
}
