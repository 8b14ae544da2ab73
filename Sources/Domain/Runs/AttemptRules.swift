/// The next attempt of a run: pure rules that the scheduler follows and the writer checks.
extension RunState {
    /// Number of attempts since an action was approved or executed last.
    package var attemptsWithoutProgress: UInt32 { calls.attempt - min(attemptAtProgress, calls.attempt) }

    /// The approved actions that are still to be carried out, oldest first.
    ///
    /// A call of unknown outcome is among them: made again, it is a question to a person.
    package var dueActions: [ActionState] { actions.filter { $0.status == .approved && isDue($0) } }

    /// The purpose of the attempt after one that the agent answered; `nil` when nothing is left to do.
    package var nextPurpose: InvokePurpose? {
        guard lastInvoke != nil else { return .start }
        let due = dueActions
        if let resumed = due.first(where: \.isResumable) { return .resume(resumed.id) }
        // An action that was decided and carried out within its own attempt: other calls may have been refused meanwhile.
        let isUnseen = actions.contains {
            $0.gate != nil && $0.status == .executed && $0.createdAttempt == calls.attempt
        }
        return due.isEmpty && !isUnseen ? nil : .start
    }

    /// The purpose of the attempt after one that failed; `nil` when there is none to make.
    package func purpose(afterFailedInvokeThatIs isRetryable: Bool) -> InvokePurpose? {
        guard let purpose = lastInvoke?.purpose else { return .start }
        guard case .resume(let id) = purpose else { return isRetryable ? purpose : nil }
        guard let action = action(id), mayResume(action) else { return nil }
        if isRetryable { return purpose }
        return action.checkpoint == .unusable ? .start : nil
    }

    /// True when the agent may be called to go on after the action: it is approved, or carried out in an attempt of the
    /// same resume that failed afterwards.
    func mayResume(_ action: ActionState) -> Bool {
        switch action.status {
        case .approved: true
        case .executed: action.gate != nil && lastInvoke?.purpose == .resume(action.id)
        case .blocked, .rejected, .failed, .expired: false
        }
    }

    /// True when the action was approved before the latest attempt began.
    func isApprovedBeforeAttempt(_ action: ActionState) -> Bool {
        action.approvedAttempt.map { $0 < calls.attempt } ?? false
    }

    private func isDue(_ action: ActionState) -> Bool {
        guard action.gate != nil, action.isSpent else { return true }
        return switch action.callID.flatMap({ calls.entry($0)?.stage }) {
        case .open, .unknown: true
        case .answered, .settled, nil: false
        }
    }
}

extension ActionState {
    /// True when the agent can be called to go on from where it stopped for the action.
    ///
    /// The gate's own actions need a checkpoint; an agent that made an action itself knows what to do without.
    fileprivate var isResumable: Bool {
        switch checkpoint {
        case .loop, .handler: true
        case .none: gate == nil && !isConsent
        case .unusable: false
        }
    }
}
