extension ActiveState {
    /// Decides whether a model call is answered by a recorded response.
    ///
    /// - Returns: `ModelCallReplayed`, when an earlier attempt has made the call; nothing, when the model is to be asked.
    /// - Throws: `attemptSuperseded`, and `journalFull` when no further call of the run can be recorded.
    func takeModelCall(_ id: RunID, _ take: TakeModelCall, _ context: DecisionContext) throws(Rejection) -> [Event] {
        let run = try runInTurn(id, context)
        guard run.agentID == take.agentID else {
            throw Rejection(.agentMismatch, "run \(id) is not one of agent \(take.agentID)")
        }
        try checkAttempt(of: run, requestID: take.requestID)
        guard let identity = take.identity else { return [] }
        guard let entry = run.modelCalls.next(identity, in: run.calls) else {
            try checkJournal(of: run, context.settings.limits)
            return []
        }
        var decision = RunDecision(run, context)
        decision.record(.modelCallReplayed(ModelCallReplayed(callID: entry.id, isAskedAgain: !entry.isKept)))
        return decision.events
    }

    /// The reason why a run gets no further model call; `nil` while there is room, and for a run that is over.
    package func reachedLimit(
        of id: RunID, identity: UUIDValue?, _ overrides: RunLimitOverrides, _ settings: DecisionSettings
    ) -> String? {
        runs[id].flatMap { settings.runLimits.replacing(overrides).reachedByModelCall(identity, of: $0) }
    }

    private func checkJournal(of run: RunState, _ limits: Limits) throws(Rejection) {
        guard run.modelCalls.entries.count < limits.modelCallsPerRunMax else {
            throw .journalFull(run.id, "\(limits.modelCallsPerRunMax) model calls")
        }
        guard run.modelCalls.answerBytes < UInt64(limits.modelAnswerBytesPerRunMax) else {
            throw .journalFull(run.id, "\(limits.modelAnswerBytesPerRunMax) bytes of model responses")
        }
        try checkGrowth(of: run, by: RunState.bytesPerModelCall, limits)
    }
}

extension RunDecision {
    /// Records a call of a model, and its response for later attempts, unless the attempt of the call is superseded.
    ///
    /// A later attempt may have made the same call already: an additional response would come before that one's.
    mutating func record(_ called: ModelCalled, _ answer: ModelAnswer?) {
        guard let answer, run.isServerDriven, run.calls.attempt == answer.attempt else {
            return record(.modelCalled(called))
        }
        var called = called
        called.callID = answer.callID
        record(.modelCalled(called))
        record(
            .modelAnswerRecorded(
                ModelAnswerRecorded(callID: answer.callID, identity: answer.identity, answer: answer.sealed)))
    }
}

extension Rejection {
    fileprivate static func journalFull(_ run: RunID, _ limit: String) -> Rejection {
        Rejection(
            .journalFull,
            "the journal of run \(run) is full (\(limit)): start another run, or set journal to false in the agent's "
                + "llm_configs")
    }
}
