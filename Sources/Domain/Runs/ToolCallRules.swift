extension ActiveState {
    /// Decides what becomes of a call that the policies let through, or let through with an approval.
    ///
    /// - Returns: `ToolCallReplayed`, when it was made before; `ToolCallStarted`, when it may be made once;
    ///   nothing, when it is safe to make; `ActionBlocked`, when it has to wait; `PayloadMismatched`, when
    ///   other bytes or other headers were approved.
    /// - Throws: `approvalRequired` when it has to wait and `begin.block` is `nil`; `approvalPending` while an action of
    ///   the run is blocked; `callOnItsWay` when an earlier attempt's call has not come to its end.
    func beginToolCall(_ id: RunID, _ begin: BeginToolCall, _ context: DecisionContext) throws(Rejection) -> [Event] {
        let run = try runCalling(id, agent: begin.agentID, context)
        var begin = begin
        begin.call.fingerprint = run.calls.fingerprint(begin.call.fingerprint, earlier: begin.earlierFingerprints)
        begin.call.attempt = run.calls.attempt
        var decision = RunDecision(run, context)
        if let entry = run.undeliveredCall(of: begin) {
            guard entry.stage == .answered else { throw .callInFlight }
            decision.record(.toolCallReplayed(ToolCallReplayed(callID: entry.id)))
            return decision.events
        }
        switch run.calls.next(begin.call.fingerprint, isRepeatable: begin.call.isRepeatable) {
        case .replay(let entry):
            decision.record(.toolCallReplayed(ToolCallReplayed(callID: entry.id)))
            return decision.events
        // Its outcome decides whether this is a repetition, a second call, or a question to a person.
        case .wait: throw .callInFlight
        case .repeat(let entry): begin.call.occurrence = entry.occurrence
        case .perform(let occurrence):
            begin.call.occurrence = occurrence
            let limits = context.settings.runLimits.replacing(begin.limits)
            if let reason = limits.reachedByToolCall(occurrence, isSafe: begin.call.isSafe, of: run) {
                decision.fail(reason: reason, requests: accessRequests)
                return decision.events
            }
        }
        let call = begin.call
        try checkRoom(for: run, context)
        if let blocked = run.blockedAction(of: call) { throw .approvalPending(blocked) }
        let pending = run.actions.first { $0.status == .blocked }
        switch authorization(of: begin, in: run, context) {
        case .approval(let action):
            if let pending { throw .approvalPending(pending) }
            decision.start(call, under: action, nil)
        case .grant(let request):
            if let pending { throw .approvalPending(pending) }
            decision.start(call, under: nil, request)
        case .policy:
            if call.isSafe { break }
            if let pending { throw .approvalPending(pending) }
            decision.start(call, under: nil, nil)
        case .missing:
            // It may be in flight under an approval that an unreachable tool leaves as it was.
            guard !run.calls.isOpen(call.fingerprint) else { throw .callInFlight }
            if let action = run.approvalOfOtherRequest(than: begin) {
                decision.refuseMismatch(with: action, call)
            } else {
                try decision.block(begin, replacing: worthlessApprovals(of: begin, in: run))
            }
        }
        return decision.events
    }

    /// Finds what lets a call be made: the approval of exactly this request, the policy, or a wider grant.
    private func authorization(
        of begin: BeginToolCall, in run: RunState, _ context: DecisionContext
    ) -> CallAuthorization {
        let call = begin.call
        let approval = run.approvals(of: begin).first { action in
            action.isFor(call) && action.satisfies(begin.requirement) && lostStanding(ofApprovalOf: action) == nil
        }
        if let approval { return .approval(approval.id) }
        // A grant is for calls to come: it says nothing of one that may have been carried out.
        guard !run.calls.hasUnknownOutcome(call) else { return .missing }
        guard let requirement = begin.requirement else { return .policy }
        let grants = accessRequests.values.filter {
            $0.covers(begin, of: run, requirement, context) && lostStanding(ofGrantOf: $0) == nil
        }
        return grants.map(\.id).min().map(CallAuthorization.grant) ?? .missing
    }

    /// The approvals of exactly this request, once they do not let it be made, with the reason for that.
    private func worthlessApprovals(of begin: BeginToolCall, in run: RunState) -> [ActionFailed] {
        run.approvals(of: begin).filter { $0.isFor(begin.call) }.map { action in
            ActionFailed(
                actionID: action.id,
                reason: (lostStanding(ofApprovalOf: action) ?? "the policies ask for more than was approved")
                    + ": the call needs another approval")
        }
    }

    /// Records what came of a call; the action that it carried out has been executed, unless the tool was not reached.
    func recordToolCall(_ id: RunID, _ called: ToolCalled, _ context: DecisionContext) throws(Rejection) -> [Event] {
        let run = try activeRun(id, context)
        var decision = RunDecision(run, context)
        decision.record(.toolCalled(called))
        if let action = called.call.actionID, run.action(action)?.status == .approved,
            case .answered = called.outcome
        {
            decision.record(.actionExecuted(ActionExecuted(actionID: action)))
        }
        if case .completed? = run.lastInvoke?.stage { decision.completeIfCallsEnded() }
        return decision.events
    }

    func recordInterruptedCall(
        _ id: RunID, _ call: ToolCallID, _ context: DecisionContext
    ) throws(Rejection) -> [Event] {
        let run = try activeRun(id, context)
        guard run.calls.entry(call)?.stage == .open else { return [] }
        var decision = RunDecision(run, context)
        decision.record(.toolCallInterrupted(ToolCallInterrupted(callID: call)))
        if case .completed? = run.lastInvoke?.stage { decision.completeIfCallsEnded() }
        return decision.events
    }

    func recordRefusedCall(
        _ id: RunID, _ refused: ToolCallRefused, _ context: DecisionContext
    ) throws(Rejection) -> [Event] {
        let run = try runInTurn(id, context)
        try checkAttempt(of: run, requestID: context.attemptID)
        var decision = RunDecision(run, context)
        decision.record(.toolCallRefused(refused))
        return decision.events
    }

    /// The run that an agent calls a tool for, when it may.
    func runCalling(_ id: RunID, agent: String, _ context: DecisionContext) throws(Rejection) -> RunState {
        let run = try runInTurn(id, context)
        guard run.agentID == agent else {
            throw Rejection(.agentMismatch, "run \(id) is not one of agent \(agent)")
        }
        try checkAttempt(of: run, requestID: context.attemptID)
        guard run.isServerDriven || run.status == .running else {
            throw Rejection(.runNotRunning, "run is \(run.status.rawValue), must be RUNNING to call tools")
        }
        return run
    }

    /// Checks that the run may make another call.
    func checkRoom(for run: RunState, _ context: DecisionContext) throws(Rejection) {
        let limit = context.settings.limits.toolCallsPerRunMax
        guard run.calls.entries.count < limit else { throw .limitReached("calls of tools in one run", limit) }
        try checkGrowth(of: run, by: RunState.bytesPerCall, context.settings.limits)
    }
}

/// The authorization of a call.
private enum CallAuthorization {
    case approval(ActionID)
    case grant(AccessRequestID)
    case policy
    case missing
}

extension RunState {
    /// The call of this attempt whose outcome no caller has, and which the call makes again; `nil` when its outcome is
    /// unknown, or there is none.
    fileprivate func undeliveredCall(of begin: BeginToolCall) -> ToolCallJournal.Entry? {
        guard let entry = begin.undelivered.flatMap({ calls.entry($0) }), entry.attempt == calls.attempt,
            entry.fingerprint == begin.call.fingerprint
        else { return nil }
        return switch entry.stage {
        case .open, .answered: entry
        case .unknown, .settled: nil
        }
    }

    /// The approvals that the gate asked for and that are still to be carried out, for this tool, method and URL.
    ///
    /// An action that an agent or a client blocked is none: its approver saw what the client chose to say. Neither is one
    /// for an earlier tool of the same name and URL.
    fileprivate func approvals(of begin: BeginToolCall) -> [ActionState] {
        let call = begin.call
        return actions.filter { action in
            guard let gate = action.gate, action.status == .approved, !action.isConsent, !action.isSpent else {
                return false
            }
            return action.toolID == call.toolID && action.method == call.method && action.url == call.url
                && (gate.tool ?? begin.tool) == begin.tool
        }
    }

    /// The blocked action that the gate made of the same call.
    fileprivate func blockedAction(of call: ToolCall) -> ActionState? {
        actions.first { action in
            action.status == .blocked && action.gate != nil && action.toolID == call.toolID
                && action.method == call.method && action.url == call.url && action.isFor(call)
        }
    }

    /// The approval that the call misuses, rather one of the same body; `nil` when there is none, or when the call waits
    /// for other reasons.
    ///
    /// A handler that starts from the top is free in the order of its calls: only a call that claims an approval can
    /// misuse it there.
    fileprivate func approvalOfOtherRequest(than begin: BeginToolCall) -> ActionState? {
        let (call, approvals) = (begin.call, approvals(of: begin))
        guard !calls.hasUnknownOutcome(call), !approvals.contains(where: { $0.isFor(call) }) else { return nil }
        let misused = approvals.filter { isClaimed($0.id, by: begin.claimedActionID) }
        return misused.first { $0.hasBody(of: call) } ?? misused.first
    }

    /// True when a call to the tool, method and URL of an approved action can be that action's alone.
    private func isClaimed(_ action: ActionID, by claimed: ActionID?) -> Bool {
        guard isServerDriven else { return true }
        guard lastInvoke?.purpose == .resume(action) else { return claimed == action }
        // The published runtime names the resumed action in every call of a handler that it starts again.
        return calls.scope == .checkpoint
    }
}

extension ActionState {
    /// True when the call has the body and the bound headers that were approved.
    fileprivate func isFor(_ call: ToolCall) -> Bool { hasBody(of: call) && hasHeaders(of: call) }

    fileprivate func hasBody(of call: ToolCall) -> Bool { payloadHash?.matches(call.payloadHash) == true }

    /// True when the call has the bound headers that were approved; an action without a digest of them is for any.
    fileprivate func hasHeaders(of call: ToolCall) -> Bool {
        guard let approved = gate?.headersHash else { return true }
        return call.headersHash?.matches(approved) ?? false
    }

    /// True when its approval is worth what the policies ask for by now.
    fileprivate func satisfies(_ requirement: RequiredApproval?) -> Bool {
        guard let requirement, let gate else { return requirement == nil }
        return requirement.isSatisfied(by: gate.requirement)
    }
}

extension ToolCallJournal {
    /// True when an earlier call like this one may have been carried out, and may not be made twice.
    fileprivate func hasUnknownOutcome(_ call: ToolCall) -> Bool { !call.isRepeatable && isUnknown(call.fingerprint) }
}

extension Rejection {
    fileprivate static var callInFlight: Rejection {
        Rejection(.callOnItsWay, "the same call is in flight, and its tool has not answered yet")
    }

    fileprivate static func approvalPending(_ action: ActionState) -> Rejection {
        Rejection(
            .approvalPending,
            "action \(action.id) waits for a decision, and until then the run performs nothing else",
            actionID: action.id)
    }
}

extension RunDecision {
    fileprivate mutating func start(_ call: ToolCall, under action: ActionID?, _ grant: AccessRequestID?) {
        var call = call
        (call.actionID, call.grantID) = (action, grant)
        record(.toolCallStarted(ToolCallStarted(call: call)))
    }

    /// Ends the approval of a call that comes with other bytes or headers: only what was approved runs.
    fileprivate mutating func refuseMismatch(with action: ActionState, _ call: ToolCall) {
        var headers: PayloadMismatched.Headers?
        if !action.hasHeaders(of: call), let approved = action.gate?.headersHash {
            headers = PayloadMismatched.Headers(approved: approved, presented: call.headersHash ?? PayloadHash(""))
        }
        let mismatch = PayloadMismatched(
            actionID: action.id, approved: action.payloadHash ?? PayloadHash(""), presented: call.payloadHash,
            headers: headers)
        let part = mismatch.isOfHeadersAlone ? "headers" : "bytes"
        record(.payloadMismatched(mismatch))
        record(
            .actionFailed(
                ActionFailed(actionID: action.id, reason: "the call came with other \(part) than were approved")))
    }

    /// - Throws: `approvalRequired` when it is not known yet what to show to approvers.
    fileprivate mutating func block(_ begin: BeginToolCall, replacing worthless: [ActionFailed]) throws(Rejection) {
        guard let block = begin.block else { throw Rejection(.approvalRequired, "the call needs an approval") }
        for failed in worthless { record(.actionFailed(failed)) }
        let (run, call) = (run, begin.call)
        let isUnknown = run.calls.hasUnknownOutcome(call)
        let requirement =
            begin.requirement
            ?? RequiredApproval(name: "unknown outcome", groups: [], needsEveryGroup: false, duration: nil)
        if run.calls.isUnknown(call.fingerprint) { giveUpActions(like: call) }
        let requested = AccessRequested(
            subject: run.userID, toolID: call.toolID, agentID: run.agentID,
            duration: min(
                requirement.duration ?? context.settings.grantDuration,
                requirement.grantDurationMax(context.settings)),
            run: AccessRequestTarget(runID: run.id, actionID: block.actionID), capability: call.capability,
            payloadHash: call.payloadHash, headersHash: call.headersHash, method: call.method, url: call.url,
            expiresAt: context.time.adding(context.settings.approvalWindow), isForOneCall: true, tool: begin.tool,
            agentUID: run.agentUID)
        record(on: .accessRequest(block.requestID), sequence: 1, .accessRequested(requested))
        let reason = isUnknown ? BlockedCall.unknownOutcomeReason : block.reason
        try self.block(
            BlockAction(
                actionID: block.actionID, toolID: call.toolID, capability: call.capability,
                payloadHash: call.payloadHash, method: call.method, url: call.url,
                gate: BlockedCall(
                    fingerprint: call.fingerprint, reason: reason, requirement: requirement, headers: block.headers,
                    headersHash: call.headersHash, payload: block.payload, tool: begin.tool)),
            request: block.requestID)
    }

    /// Actions whose call was made, with an outcome that nobody knows, are replaced by the one that asks about it.
    private mutating func giveUpActions(like call: ToolCall) {
        let given = run.actions.filter { action in
            action.status == .approved && action.isSpent && action.toolID == call.toolID
                && action.isFor(call)
        }
        for action in given {
            record(.actionFailed(ActionFailed(actionID: action.id, reason: "the outcome of its call is not known")))
        }
    }
}
