extension ActiveState {
    /// A new request, with its blocked action when it names a run; nothing when the same one is pending already.
    func requestAccess(
        _ request: RequestAccess, _ context: DecisionContext
    ) throws(Rejection) -> [Event] {
        try check(request, context.settings)
        try checkSubject(of: request, context)
        try checkNotBeingErased(request.subject, context)
        guard existingAccessRequest(request, context.workspace) == nil else { return [] }
        let limits = context.settings.limits
        let asker = context.actor.keyKind
        try usage.check(
            1, of: .accessRequests, max: limits.openAccessRequestsMax, context.workspace, asker, limits)
        let requested = AccessRequested(
            subject: request.subject, toolID: request.toolID, agentID: request.agentID,
            duration: request.duration ?? min(context.settings.grantDuration, context.settings.grantDurationMax),
            run: request.runID.map { AccessRequestTarget(runID: $0, actionID: request.actionID) },
            capability: request.capability, payloadHash: request.payloadHash, method: request.method,
            url: request.url, expiresAt: context.time.adding(context.settings.approvalWindow), tool: request.tool,
            agentUID: agentUID(of: request, context.workspace))
        guard let runID = request.runID else {
            let stream = StreamID.accessRequest(request.requestID)
            return [
                context.event(0, stream: stream, sequence: 1, person: request.subject, .accessRequested(requested))
            ]
        }
        var decision = RunDecision(try activeRun(runID, context), context)
        let block = BlockAction(
            actionID: request.actionID, toolID: request.toolID, capability: request.capability,
            payloadHash: request.payloadHash, method: request.method, url: request.url)
        decision.record(on: .accessRequest(request.requestID), sequence: 1, .accessRequested(requested))
        try decision.block(block, request: request.requestID)
        return decision.events
    }

    /// The pending request that a new one would repeat.
    package func existingAccessRequest(
        _ request: RequestAccess, _ workspace: WorkspaceName
    ) -> AccessRequestState? {
        pendingAccessRequest(
            PendingAccessKey(
                workspace: workspace, subject: request.subject, toolID: request.toolID, runID: request.runID,
                tool: request.tool, agentUID: agentUID(of: request, workspace)))
    }

    /// The resource id of the agent that a request is for: its run's, or else the one of that name.
    private func agentUID(of request: RequestAccess, _ workspace: WorkspaceName) -> ResourceID? {
        if let run = request.runID.flatMap({ runs[$0] }) { return run.agentUID }
        return request.agentID.flatMap { agentUID(named: $0, workspace) }
    }

    func approveAccess(_ approve: ApproveAccess, _ context: DecisionContext) throws(Rejection) -> [Event] {
        let request = try pendingRequest(approve.requestID, context)
        guard request.expiresAt > context.time else {
            throw Rejection(
                .accessRequestNotPending,
                "request is not pending: its wait ended at \(request.expiresAt); make it again")
        }
        try checkText(approve.reason, "reason", bytesMax: context.settings.limits.textBytesMax)
        try checkSignature(approve.signature, context.settings.limits)
        let given = GivenApproval(
            scope: approve.scope ?? .once, duration: approve.duration, reason: approve.reason,
            signature: approve.signature)
        let stream = StreamID.accessRequest(approve.requestID)
        guard let target = request.requested.run else {
            if let given = approve.payloadHash, request.requested.payloadHash?.matches(given) != true {
                throw Rejection(.payloadHashMismatch, "payload_hash mismatch")
            }
            try checkReach(over: nil, context)
            try checkNotOwn(request, context)
            try checkGrantDuration(given.duration, nil, context.settings)
            return [
                request.event(
                    .accessApproved(request.approval(given, for: [], of: nil, after: [], context)), context)
            ]
        }
        let run = try activeRun(target.runID, context)
        guard let action = run.action(target.actionID), action.status == .blocked else {
            throw Rejection(.accessRequestNotPending, "request is not pending")
        }
        try checkHash(approve.payloadHash, of: action, isRequired: false)
        let groups: [String]
        switch try step(given, for: action, in: run, context) {
        case .incomplete(let events): return events
        case .complete(let standsFor): groups = standsFor
        }
        let approved = request.approval(given, for: groups, of: action, after: countedVotes(on: action), context)
        var decision = RunDecision(run, context)
        decision.record(on: stream, sequence: request.streamSequence + 1, .accessApproved(approved))
        decision.record(
            .actionApproved(
                ActionApproved(
                    actionID: action.id, payloadHash: action.payloadHash, reason: approve.reason,
                    signature: approve.signature)))
        decision.resumeIfUnblocked()
        return decision.events
    }

    func rejectAccess(
        _ id: AccessRequestID, _ reason: String?, _ signature: DecisionSignature?, _ context: DecisionContext
    ) throws(Rejection) -> [Event] {
        let request = try pendingRequest(id, context)
        try checkText(reason, "reason", bytesMax: context.settings.limits.textBytesMax)
        try checkSignature(signature, context.settings.limits)
        let rejected = EventPayload.accessRejected(
            AccessRejected(approverID: context.actor.name, reason: reason, signature: signature))
        let stream = StreamID.accessRequest(id)
        let action = request.requested.run.flatMap { runs[$0.runID]?.action($0.actionID) }
        try checkReach(over: action?.gate?.requirement, context)
        guard let target = request.requested.run, let run = runs[target.runID], action?.status == .blocked
        else { return [request.event(rejected, context)] }
        var decision = RunDecision(run, context)
        decision.record(on: stream, sequence: request.streamSequence + 1, rejected)
        decision.record(
            .actionRejected(ActionRejected(actionID: target.actionID, reason: reason, signature: signature)))
        decision.fail(reason: "action \(target.actionID) was rejected", requests: [:])
        return decision.events
    }

    /// Ends a wait or a grant whose time has passed, and a grant that counts no more. A request with a blocked action
    /// expires with the action.
    func expireAccess(_ id: AccessRequestID, _ context: DecisionContext) throws(Rejection) -> [Event] {
        guard let request = accessRequests[id], request.workspace == context.workspace else {
            throw .accessRequestNotActive()
        }
        if let reason = lostStanding(ofGrantOf: request) {
            return [request.event(.accessExpired(AccessExpired(reason: reason)), context)]
        }
        guard request.expiresAt <= context.time else {
            throw Rejection(.invalidArgument, "request \(id) does not expire before \(request.expiresAt)")
        }
        if request.isPending, let target = request.requested.run,
            runs[target.runID]?.action(target.actionID)?.status == .blocked
        {
            return try expireAction(target.runID, target.actionID, context)
        }
        return [request.event(.accessExpired(AccessExpired()), context)]
    }

    private func pendingRequest(
        _ id: AccessRequestID, _ context: DecisionContext
    ) throws(Rejection) -> AccessRequestState {
        guard let request = accessRequests[id], request.workspace == context.workspace else {
            throw .accessRequestNotActive()
        }
        guard request.isPending else { throw Rejection(.accessRequestNotPending, "request is not pending") }
        return request
    }

    private func check(_ request: RequestAccess, _ settings: DecisionSettings) throws(Rejection) {
        let limits = settings.limits
        try checkText(request.subject, "subject", required: true, bytesMax: limits.textBytesMax)
        try checkText(request.toolID, "tool_id", required: true, bytesMax: limits.textBytesMax)
        try checkText(request.agentID, "agent_id", bytesMax: limits.textBytesMax)
        try checkText(request.capability, "capability", bytesMax: limits.textBytesMax)
        try checkText(request.payloadHash?.text, "payload_hash", bytesMax: limits.textBytesMax)
        try checkText(request.method, "tool_method", bytesMax: 64)
        try checkText(request.url, "tool_url", bytesMax: 8 * limits.textBytesMax)
        try checkGrantDuration(request.duration, nil, settings)
    }
}

extension AccessRequestState {
    /// The request's next event.
    func event(_ payload: EventPayload, index: Int = 0, _ context: DecisionContext) -> Event {
        context.event(
            index, stream: .accessRequest(id), sequence: streamSequence + 1, person: requested.subject, payload)
    }
}
