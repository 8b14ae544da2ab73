extension ActiveState {
    /// The intent of an effect, written before the effect: one invoke of a run at a time.
    func requestInvoke(
        _ id: RunID, _ requested: InvokeRequested, _ context: DecisionContext
    ) throws(Rejection) -> [Event] {
        let run = try activeRun(id, context)
        guard run.isServerDriven, run.status == .running, run.openInvoke == nil else {
            throw Rejection(.invokeNotExpected, "run \(id) does not wait for an invoke")
        }
        if case .resume(let actionID) = requested.purpose {
            guard run.action(actionID)?.status == .approved else {
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
        if case .resume(let actionID) = completed.purpose { decision.closeResumed(actionID) }
        let waits = decision.run.actions.contains { $0.status == .blocked || $0.status == .approved }
        guard decision.run.status == .running, !waits else { return decision.events }
        switch completed.outcome {
        case .finished:
            decision.record(.runStatusChanged(RunStatusChanged(status: .completed, reason: nil)))
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
        var decision = RunDecision(try runWithOpenInvoke(id, failed.purpose, failed.attempt, context), context)
        decision.record(.invokeFailed(failed.withoutConsentLinks))
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
    /// The turn that an approval was given for has ended. The gate saw whether its call was made; of other actions
    /// the agent's success tells.
    fileprivate mutating func closeResumed(_ id: ActionID) {
        guard let action = run.action(id), action.status == .approved else { return }
        guard action.gate != nil else { return record(.actionExecuted(ActionExecuted(actionID: id))) }
        let reason =
            action.isSpent
            ? "the outcome of its call is not known" : "the agent's turn ended without a call that was answered"
        record(.actionFailed(ActionFailed(actionID: id, reason: reason)))
    }
}
