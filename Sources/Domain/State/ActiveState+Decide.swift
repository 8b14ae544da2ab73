extension ActiveState {
    /// The rules: which events a command causes, if any.
    ///
    /// Pure: no clock, no new ids, no waiting; the caller folds the events and appends them as one.
    ///
    /// - Returns: the events, in order; none when everything is so already.
    /// - Throws: a `Rejection` when the rules refuse, with nothing changed.
    package func decide(_ command: Command, _ context: DecisionContext) throws(Rejection) -> [Event] {
        switch command {
        case .storeResources(let store): try storeResources(store, context)
        case .deleteResource(let kind, let name): try deleteResource(kind, name, context)
        case .recordResourceStatus(let recorded): try recordResourceStatus(recorded, context)
        case .createRun(let create): try createRun(create, context)
        case .addRunEvents(let run, let added): try addRunEvents(run, added, context)
        case .changeRunStatus(let run, let status): try changeRunStatus(run, status, context)
        case .failRun(let run, let reason): try failRun(run, reason, context)
        case .blockAction(let run, let block): try blockAction(run, block, context)
        case .approveAction(let run, let action, let hash, let reason, let signature):
            try approveAction(run, action, hash, reason, signature, context)
        case .rejectAction(let run, let action, let reason, let signature):
            try rejectAction(run, action, reason, signature, context)
        case .expireAction(let run, let action): try expireAction(run, action, context)
        case .markActionExecuted(let run, let action): try markActionExecuted(run, action, context)
        case .markActionFailed(let run, let action, let reason): try markActionFailed(run, action, reason, context)
        case .requestAccess(let request): try requestAccess(request, context)
        case .approveAccess(let approve): try approveAccess(approve, context)
        case .rejectAccess(let request, let reason, let signature):
            try rejectAccess(request, reason, signature, context)
        case .expireAccess(let request): try expireAccess(request, context)
        case .saveCheckpoint(let run, let saved): try saveCheckpoint(run, saved, context)
        case .recordToolResult(let run, let recorded): try recordToolResult(run, recorded, context)
        case .beginToolCall(let run, let begin): try beginToolCall(run, begin, context)
        case .recordToolCall(let run, let called): try recordToolCall(run, called, context)
        case .recordInterruptedCall(let run, let call): try recordInterruptedCall(run, call, context)
        case .recordRefusedCall(let run, let refused): try recordRefusedCall(run, refused, context)
        case .requireConsent(let run, let require): try requireConsent(run, require, context)
        case .giveConsent(let run, let give): try giveConsent(run, give, context)
        case .requestInvoke(let run, let requested): try requestInvoke(run, requested, context)
        case .completeInvoke(let run, let completed): try completeInvoke(run, completed, context)
        case .failInvoke(let run, let failed): try failInvoke(run, failed, context)
        case .createAPIKey(let id, let created): try createAPIKey(id, created, context)
        case .revokeAPIKey(let id): try revokeAPIKey(id, context)
        case .rotateAPIKey(let id, let rotate): try rotateAPIKey(id, rotate, context)
        case .recordAnswer(let answer, let person): recordAnswer(answer, of: person, context)
        case .recordModelCall(let run, let called, let answer): try recordModelCall(run, called, answer, context)
        case .takeModelCall(let run, let take): try takeModelCall(run, take, context)
        case .startDelivery(let started): try startDelivery(started, context)
        case .endDelivery(let ended): try endDelivery(ended, context)
        case .decideByLink(let decide): try decideByLink(decide, context)
        case .recordAnalysis(let id, let document): try recordAnalysis(id, document, context)
        case .requestBuild(let id, let requested): try requestBuild(id, requested, context)
        case .startBuild(let id): try startBuild(id, context)
        case .finishBuild(let id, let finished): try finishBuild(id, finished, context)
        case .expireRun(let expired): try expireRun(expired, context)
        case .storeSecrets(let store): try storeSecrets(store, context)
        case .deleteSecret(let delete): try deleteSecret(delete, context)
        case .erasePerson(let id, let requested): try erasePerson(id, requested, context)
        case .recordErasure(let id, let erased): recordErasure(id, erased, context)
        case .acceptKeyLoss(let loss):
            [context.event(0, stream: .keyLoss(context.commandID.value), sequence: 1, .keyLossAccepted(loss))]
        case .stop(let stopping): try stop(stopping, context)
        case .start(let started): try start(started, context)
        }
    }

    /// The unfinished run of that id in the caller's workspace; an agent's own alone.
    func activeRun(_ id: RunID, _ context: DecisionContext) throws(Rejection) -> RunState {
        guard let run = runs[id], run.workspace == context.workspace, context.agent?.owns(run) ?? true else {
            throw .runNotActive(id)
        }
        return run
    }

    func recordAnswer(_ answer: AnswerRecorded, of person: String?, _ context: DecisionContext) -> [Event] {
        [
            context.event(
                0, stream: StreamID(kind: .answer, id: context.commandID.value), sequence: 1, person: person,
                .answerRecorded(answer))
        ]
    }
}

/// Refuses text that is empty where it may not be, too long, or holds a control character.
func checkText(
    _ text: String?, _ field: String, required: Bool = false, bytesMax: Int
) throws(Rejection) {
    guard let text, !text.isEmpty else {
        if required { throw Rejection(.invalidArgument, "\(field) is required") }
        return
    }
    guard text.utf8.count <= bytesMax else {
        throw Rejection(.invalidArgument, "\(field) is longer than \(bytesMax) bytes")
    }
    guard !text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) else {
        throw Rejection(.invalidArgument, "\(field) must not contain control characters")
    }
}

func checkDocument(_ document: JSONText?, _ field: String, _ limits: Limits) throws(Rejection) {
    guard let document, document.text.utf8.count > limits.documentBytesMax else { return }
    throw Rejection(.invalidArgument, "\(field) is larger than \(limits.documentBytesMax) bytes")
}
