extension ActiveState {
    /// Decides what becomes of a call that the policies let through, or let through with an approval.
    ///
    /// - Returns: `ToolCallReplayed`, when it has been made before; `ToolCallStarted`, when it may be made once;
    ///   nothing, when it may be made and made again; `ActionBlocked`, when it has to wait; `PayloadMismatched`, when
    ///   other bytes were approved.
    /// - Throws: `approvalRequired` when it has to wait and `begin.block` is `nil`; `callOnItsWay` when it may not be
    ///   made twice, and the same call has not come to its end.
    func beginToolCall(_ id: RunID, _ begin: BeginToolCall, _ context: DecisionContext) throws(Rejection) -> [Event] {
        let run = try runCalling(id, agent: begin.agentID, context)
        var decision = RunDecision(run, context)
        if let earlier = run.calls.repeated(begin.call.fingerprint) {
            decision.record(.toolCallReplayed(ToolCallReplayed(callID: earlier.id)))
            return decision.events
        }
        // Whatever becomes of that one decides whether this is a repetition, a second call, or a question to a person.
        guard begin.call.isRepeatable || !run.calls.isOpen(begin.call.fingerprint) else {
            throw Rejection(.callOnItsWay, "the same call is on its way, and its tool has not answered yet")
        }
        let approved = run.actions.filter { $0.isApproval(of: begin.call) }
        if let action = approved.first(where: { $0.payloadHash?.matches(begin.call.payloadHash) ?? false }) {
            decision.start(begin.call, under: action.id, nil)
            return decision.events
        }
        let isUnknown = !begin.call.isRepeatable && run.calls.isUnknown(begin.call.fingerprint)
        let grant =
            begin.requirement == nil || isUnknown ? nil : grant(for: begin.call, of: run, begin.requirement, context)
        guard isUnknown || (begin.requirement != nil && grant == nil) else {
            if !begin.call.isRepeatable { decision.start(begin.call, under: nil, grant) }
            return decision.events
        }
        if let action = approved.first(where: { $0.gate != nil }), !isUnknown {
            decision.refuseOtherBytes(than: action, begin.call)
            return decision.events
        }
        guard let block = begin.block else {
            throw Rejection(.approvalRequired, "the call needs an approval")
        }
        try decision.block(begin, block, isUnknown: isUnknown)
        return decision.events
    }

    /// Records what came of a call; the action that it carried out has been executed, unless the tool was not reached.
    func recordToolCall(_ id: RunID, _ called: ToolCalled, _ context: DecisionContext) throws(Rejection) -> [Event] {
        var decision = RunDecision(try activeRun(id, context), context)
        decision.record(.toolCalled(called))
        if let action = called.call.actionID, decision.run.action(action)?.status == .approved,
            case .answered = called.outcome
        {
            decision.record(.actionExecuted(ActionExecuted(actionID: action)))
        }
        return decision.events
    }

    func recordInterruptedCall(
        _ id: RunID, _ call: ToolCallID, _ context: DecisionContext
    ) throws(Rejection) -> [Event] {
        let run = try activeRun(id, context)
        guard run.calls.open.contains(where: { $0.id == call }) else { return [] }
        var decision = RunDecision(run, context)
        decision.record(.toolCallInterrupted(ToolCallInterrupted(callID: call)))
        return decision.events
    }

    func recordRefusedCall(
        _ id: RunID, _ refused: ToolCallRefused, _ context: DecisionContext
    ) throws(Rejection) -> [Event] {
        var decision = RunDecision(try activeRun(id, context), context)
        decision.record(.toolCallRefused(refused))
        return decision.events
    }

    /// The run that an agent calls a tool for, when it may.
    func runCalling(_ id: RunID, agent: String, _ context: DecisionContext) throws(Rejection) -> RunState {
        let run = try activeRun(id, context)
        guard run.agentID == agent else {
            throw Rejection(.agentMismatch, "run \(id) is not one of agent \(agent)")
        }
        // A turn that goes on after a call of it was blocked may make others; after its end nothing may.
        guard run.status == .running || run.openInvoke != nil else {
            throw Rejection(.runNotRunning, "run is \(run.status.rawValue), must be RUNNING to call tools")
        }
        let limit = context.settings.limits.toolCallsPerRunMax
        guard run.calls.entries.count < limit else { throw .limitReached("calls of tools in one run", limit) }
        try checkGrowth(of: run, by: RunState.bytesPerCall, context.settings.limits)
        return run
    }

    /// An approval that reaches beyond one call, and has not expired; a signed one where approvals have to be.
    private func grant(
        for call: ToolCall, of run: RunState, _ requirement: RequiredApproval?, _ context: DecisionContext
    ) -> AccessRequestID? {
        let granted = accessRequests.values.filter { request in
            guard !request.isPending, request.expiresAt > context.time, request.workspace == run.workspace,
                request.requested.toolID == call.toolID, request.requested.agentID == run.agentID,
                request.isSigned || requirement?.needsSignature != true
            else { return false }
            switch request.scope {
            case .run:
                return request.requested.run?.runID == run.id && request.requested.capability == call.capability
            case .agentUserTTL: return request.requested.subject == run.userID
            case .once, nil: return false
            }
        }
        return granted.map(\.id).min()
    }
}

extension ActionState {
    /// Whether it was approved for calls of this tool, method and URL, and is still to be carried out.
    fileprivate func isApproval(of call: ToolCall) -> Bool {
        status == .approved && !isConsent && !isSpent && toolID == call.toolID
            && (method == nil || method == call.method)
            && (url == nil || url == call.url)
    }
}

extension RunDecision {
    fileprivate mutating func start(_ call: ToolCall, under action: ActionID?, _ grant: AccessRequestID?) {
        var call = call
        (call.actionID, call.grantID) = (action, grant)
        record(.toolCallStarted(ToolCallStarted(call: call)))
    }

    /// What was approved is what runs: other bytes end the approval.
    fileprivate mutating func refuseOtherBytes(than action: ActionState, _ call: ToolCall) {
        let approved = action.payloadHash ?? PayloadHash("")
        record(
            .payloadMismatched(
                PayloadMismatched(actionID: action.id, approved: approved, presented: call.payloadHash)))
        record(
            .actionFailed(
                ActionFailed(actionID: action.id, reason: "the call came with other bytes than were approved")))
    }

    fileprivate mutating func block(
        _ begin: BeginToolCall, _ block: BlockToolCall, isUnknown: Bool
    ) throws(Rejection) {
        let call = begin.call
        let requirement =
            begin.requirement
            ?? RequiredApproval(name: "unknown outcome", groups: [], needsEveryGroup: false, duration: nil)
        if isUnknown { giveUpActions(like: call) }
        let requested = AccessRequested(
            subject: run.userID, toolID: call.toolID, agentID: run.agentID,
            duration: requirement.duration ?? context.settings.grantDuration,
            run: AccessRequestTarget(runID: run.id, actionID: block.actionID), capability: call.capability,
            payloadHash: call.payloadHash, method: call.method, url: call.url,
            expiresAt: context.time.adding(context.settings.approvalWindow), isForOneCall: true)
        record(on: .accessRequest(block.requestID), sequence: 1, .accessRequested(requested))
        let reason = isUnknown ? BlockedCall.unknownOutcomeReason : block.reason
        try self.block(
            BlockAction(
                actionID: block.actionID, toolID: call.toolID, capability: call.capability,
                payloadHash: call.payloadHash, method: call.method, url: call.url,
                gate: BlockedCall(
                    fingerprint: call.fingerprint, reason: reason, requirement: requirement, headers: block.headers,
                    payload: block.payload)),
            request: block.requestID)
    }

    /// Actions whose call was made, with an outcome that nobody knows, are replaced by the one that asks about it.
    private mutating func giveUpActions(like call: ToolCall) {
        let given = run.actions.filter { action in
            action.status == .approved && action.isSpent && action.toolID == call.toolID
                && action.payloadHash?.matches(call.payloadHash) == true
        }
        for action in given {
            record(.actionFailed(ActionFailed(actionID: action.id, reason: "the outcome of its call is not known")))
        }
    }
}
