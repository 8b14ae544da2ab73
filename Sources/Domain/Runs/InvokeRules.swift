extension ActiveState {
    /// The intent of an effect, written before the effect: one invoke of a run at a time.
    func requestInvoke(
        _ id: RunID, _ requested: InvokeRequested, _ context: DecisionContext
    ) throws(Rejection) -> [Event] {
        let run = try activeRun(id, context)
        guard run.isServerDriven, run.status == .running, run.openInvoke == nil else {
            throw Rejection(.invokeNotExpected, "run \(id) does not wait for an invoke")
        }
        if let stop = stop(ofAgent: run.agentID, in: run.workspace) { throw .stopped(stop) }
        if case .resume(let actionID) = requested.purpose {
            guard let action = run.action(actionID), run.mayResume(action) else {
                throw Rejection(.invokeNotExpected, "action \(actionID) is not APPROVED: nothing to resume")
            }
        }
        var decision = RunDecision(run, context)
        decision.record(.invokeRequested(requested))
        return decision.events
    }

    func completeInvoke(
        _ id: RunID, _ completed: InvokeCompleted, _ context: DecisionContext
    ) throws(Rejection) -> [Event] {
        let run = try runWithOpenInvoke(id, completed.purpose, completed.attempt, context)
        var decision = RunDecision(run, context)
        decision.record(.invokeCompleted(completed.withoutConsentLinks))
        decision.closeCarriedOut(completed.purpose)
        let after = decision.run
        // An agent that was refused a call in this attempt is called again once it may make it, whatever it answered.
        guard after.status == .running, !after.hasBlockedAction, after.nextPurpose == nil else {
            return decision.events
        }
        switch completed.outcome {
        case .finished: decision.completeIfCallsEnded()
        case .awaitingConsent:
            decision.record(.runStatusChanged(RunStatusChanged(status: .pausedConsent, reason: nil)))
        case .awaitingApproval:
            decision.fail(
                reason: "the agent waits for an approval but no blocked action was recorded", requests: accessRequests)
        }
        return decision.events
    }

    func failInvoke(
        _ id: RunID, _ failed: InvokeFailed, _ context: DecisionContext
    ) throws(Rejection) -> [Event] {
        let run = try runWithOpenInvoke(id, failed.purpose, failed.attempt, context)
        var decision = RunDecision(run, context)
        // An attempt that ends while it waits for a decision has not failed, however the agent ends it.
        let waiting = run.actions.filter { action in
            action.createdAttempt == run.calls.attempt
                && (action.status == .blocked || run.dueActions.contains { $0.id == action.id })
        }
        if waiting.isEmpty {
            decision.record(.invokeFailed(failed.withoutConsentLinks))
        } else {
            decision.record(
                .invokeCompleted(
                    InvokeCompleted(
                        purpose: failed.purpose, attempt: failed.attempt, statusCode: failed.statusCode ?? 0,
                        response: nil,
                        outcome: waiting.allSatisfy(\.isConsent) ? .awaitingConsent : .awaitingApproval)))
        }
        return decision.events
    }

    private func runWithOpenInvoke(
        _ id: RunID, _ purpose: InvokePurpose, _ attempt: UInt32, _ context: DecisionContext
    ) throws(Rejection) -> RunState {
        let run = try activeRun(id, context)
        guard let open = run.openInvoke, open.purpose == purpose, open.attempt == attempt else {
            throw Rejection(.invokeNotExpected, "run \(id) has no such invoke in flight")
        }
        return run
    }
}

extension RunDecision {
    /// Completes a run whose agent has finished, unless a call of it is in flight: the call's end then completes the run.
    mutating func completeIfCallsEnded() {
        let run = run
        guard case .completed? = run.lastInvoke?.stage, run.status == .running, !run.hasBlockedAction,
            run.nextPurpose == nil, run.calls.open.isEmpty
        else { return }
        record(.runStatusChanged(RunStatusChanged(status: .completed, reason: nil)))
    }

    /// Closes what an attempt that the agent answered has carried out. The gate saw its calls; of other actions the
    /// agent's success tells.
    fileprivate mutating func closeCarriedOut(_ purpose: InvokePurpose) {
        let run = run
        for action in run.actions where action.status == .approved {
            if action.gate == nil {
                let isCarriedOut =
                    purpose == .resume(action.id)
                    || run.isApprovedBeforeAttempt(action)
                        && (action.isConsent || purpose == .start && action.checkpoint == .unusable)
                if isCarriedOut { record(.actionExecuted(ActionExecuted(actionID: action.id))) }
            } else if !run.dueActions.contains(where: { $0.id == action.id }) {
                record(
                    .actionFailed(ActionFailed(actionID: action.id, reason: "the outcome of its call is not known")))
            }
        }
    }
}
