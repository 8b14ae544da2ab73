/// What happened. Cases are only added; the log's schema is `schemas/events.proto`.
package enum EventPayload: Hashable, Sendable {
    case resourceStored(ResourceStored)
    case resourceDeleted(ResourceDeleted)
    case resourceStatusRecorded(ResourceStatusRecorded)

    case runCreated(RunCreated)
    case runEventAdded(RunEventAdded)
    case runStatusChanged(RunStatusChanged)

    case actionBlocked(ActionBlocked)
    case actionApproved(ActionApproved)
    case actionRejected(ActionRejected)
    case actionExpired(ActionExpired)
    case actionExecuted(ActionExecuted)
    case actionFailed(ActionFailed)

    case accessRequested(AccessRequested)
    case accessApproved(AccessApproved)
    case accessRejected(AccessRejected)
    case accessExpired(AccessExpired)

    case checkpointSaved(CheckpointSaved)
    case toolResultRecorded(ToolResultRecorded)

    case invokeRequested(InvokeRequested)
    case invokeCompleted(InvokeCompleted)
    case invokeFailed(InvokeFailed)

    case apiKeyCreated(APIKeyCreated)
    case apiKeyRevoked(APIKeyRevoked)

    case answerRecorded(AnswerRecorded)

    case toolCallStarted(ToolCallStarted)
    case toolCalled(ToolCalled)
    case toolCallReplayed(ToolCallReplayed)
    case toolCallRefused(ToolCallRefused)
    case payloadMismatched(PayloadMismatched)
    case actionVoted(ActionVoted)
    case toolCallInterrupted(ToolCallInterrupted)
    case secretStored(SecretStored)
    case secretDeleted(SecretDeleted)
    case modelCalled(ModelCalled)
    case modelAnswerRecorded(ModelAnswerRecorded)
    case modelCallReplayed(ModelCallReplayed)
    case apiKeyRotated(APIKeyRotated)
    case deliveryStarted(DeliveryStarted)
    case deliveryEnded(DeliveryEnded)
    case decisionLinkUsed(DecisionLinkUsed)

    case sourcesAnalyzed(SourcesAnalyzed)
    case buildRequested(BuildRequested)
    case buildStarted(BuildStarted)
    case buildFinished(BuildFinished)

    case personErasureRequested(PersonErasureRequested)
    case personErased(PersonErased)
    case runExpired(RunExpired)
    case keyLossAccepted(KeyLossAccepted)

    case controlStopped(ControlStopped)
    case controlStarted(ControlStarted)
}

extension EventPayload {
    /// The stable name of the type in streams, exports and the command line.
    package var typeName: String {
        switch self {
        case .resourceStored(let stored): stored.kind.storedTypeName
        case .resourceDeleted(let deleted): "\(deleted.kind.singular).deleted"
        case .resourceStatusRecorded(let recorded): "\(recorded.kind.singular).status_recorded"
        case .runCreated: "run.created"
        case .runEventAdded: "run.event_added"
        case .runStatusChanged: "run.status_changed"
        case .actionBlocked: "action.blocked"
        case .actionApproved: "action.approved"
        case .actionRejected: "action.rejected"
        case .actionExpired: "action.expired"
        case .actionExecuted: "action.executed"
        case .actionFailed: "action.failed"
        case .accessRequested: "access.requested"
        case .accessApproved: "access.approved"
        case .accessRejected: "access.rejected"
        case .accessExpired: "access.expired"
        case .checkpointSaved: "checkpoint.saved"
        case .toolResultRecorded: "tool_result.recorded"
        case .invokeRequested: "invoke.requested"
        case .invokeCompleted: "invoke.completed"
        case .invokeFailed: "invoke.failed"
        case .apiKeyCreated: "api_key.created"
        case .apiKeyRevoked: "api_key.revoked"
        case .answerRecorded: "answer.recorded"
        case .toolCallStarted: "tool_call.started"
        case .toolCalled: "tool_call.made"
        case .toolCallReplayed: "tool_call.replayed"
        case .toolCallRefused: "tool_call.refused"
        case .payloadMismatched: "security.payload_mismatched"
        case .actionVoted: "action.voted"
        case .toolCallInterrupted: "tool_call.interrupted"
        case .secretStored: "secret.stored"
        case .secretDeleted: "secret.deleted"
        case .modelCalled(let called): called.isMade ? "model_call.made" : "model_call.refused"
        case .modelAnswerRecorded: "model_answer.recorded"
        case .modelCallReplayed(let replayed): replayed.isAskedAgain ? "model_call.repeated" : "model_call.replayed"
        case .apiKeyRotated: "api_key.rotated"
        case .deliveryStarted: "delivery.started"
        case .deliveryEnded(let ended): ended.isDelivered ? "delivery.made" : "delivery.failed"
        case .decisionLinkUsed: "decision_link.used"
        case .sourcesAnalyzed: "sources.analyzed"
        case .buildRequested: "build.requested"
        case .buildStarted: "build.started"
        case .buildFinished(let finished): finished.error == nil ? "build.succeeded" : "build.failed"
        case .personErasureRequested: "person.erasure_requested"
        case .personErased: "person.erased"
        case .runExpired: "run.expired"
        case .keyLossAccepted: "key_loss.accepted"
        case .controlStopped(let stopped): "\(stopped.kind.rawValue).stopped"
        case .controlStarted(let started): "\(started.kind.rawValue).started"
        }
    }

    /// The run of an event whose stream is not the run's own.
    package var correlatedRunID: RunID? {
        switch self {
        case .accessRequested(let requested): requested.run?.runID
        case .deliveryStarted(let started): started.label.subject.runID
        case .deliveryEnded(let ended): ended.label.subject.runID
        case .decisionLinkUsed(let used): used.label.subject.runID
        case .runExpired(let expired): expired.runID
        default: nil
        }
    }

    /// The type under which a run's timeline shows this event; `nil` when it is not shown there.
    ///
    /// A run that its client drives shows the documented names and nothing that the client did itself; a run
    /// that the server drives also shows what the server did.
    package func timelineType(serverDriven: Bool) -> String? {
        if case .runEventAdded(let added) = self { return added.type }
        return ownTimelineType(serverDriven: serverDriven)?.rawValue
    }

    private func ownTimelineType(serverDriven: Bool) -> TimelineType? {
        switch self {
        case .actionBlocked(let blocked): blocked.isConsent ? .consentRequired : .approvalRequired
        case .actionApproved(let approved) where approved.isConsent: .consentGranted
        case .actionApproved: serverDriven ? .approvalGranted : .approved
        case .actionRejected: serverDriven ? .approvalRejected : .rejected
        case .toolResultRecorded: .toolResponse
        case .runCreated: serverDriven ? .runCreated : nil
        case .invokeRequested: .invokeRequested
        case .invokeCompleted: .invokeCompleted
        case .invokeFailed: .invokeFailed
        case .runStatusChanged(let changed): serverDriven ? changed.status.timelineType : nil
        case .toolCalled, .toolCallReplayed, .toolCallInterrupted: .toolCalled
        case .toolCallRefused: .toolRefused
        case .payloadMismatched: .payloadMismatch
        case .actionVoted: .approvalVote
        case .modelCalled: serverDriven ? .modelCall : nil
        case .modelCallReplayed(let replayed): serverDriven && !replayed.isAskedAgain ? .modelCall : nil
        case .resourceStored, .resourceDeleted, .resourceStatusRecorded, .runEventAdded, .actionExpired,
            .actionExecuted, .actionFailed, .accessRequested, .accessApproved, .accessRejected, .accessExpired,
            .checkpointSaved, .apiKeyCreated, .apiKeyRevoked, .answerRecorded, .toolCallStarted, .secretStored,
            .secretDeleted, .apiKeyRotated, .deliveryStarted, .deliveryEnded, .modelAnswerRecorded,
            .decisionLinkUsed, .sourcesAnalyzed, .buildRequested, .buildStarted, .buildFinished,
            .personErasureRequested, .personErased, .runExpired, .keyLossAccepted, .controlStopped,
            .controlStarted:
            nil
        }
    }
}

extension EventPayload {
    /// About how large the event is in the log, in bytes: what its documents and messages weigh, plus a little.
    package var approximateSizeBytes: Int { 256 + documentSizeBytes }

    private var documentSizeBytes: Int {
        switch self {
        case .resourceStored(let stored): stored.document.text.utf8.count
        case .runCreated(let created): (created.initialMessage?.utf8.count ?? 0) + (created.input?.text.utf8.count ?? 0)
        case .runEventAdded(let added): added.data?.text.utf8.count ?? 0
        case .checkpointSaved(let saved): saved.document.text.utf8.count
        case .toolResultRecorded(let recorded): recorded.document.text.utf8.count
        case .invokeCompleted(let completed): completed.response?.text.utf8.count ?? 0
        case .invokeFailed(let failed): failed.error.utf8.count
        case .answerRecorded(let answer): answer.body.utf8.count
        case .actionBlocked(let blocked): blocked.call?.payload?.count ?? 0
        case .actionVoted(let voted): voted.signature?.bytes.count ?? 0
        case .actionApproved(let approved): approved.signature?.bytes.count ?? 0
        case .actionRejected(let rejected): rejected.signature?.bytes.count ?? 0
        case .accessApproved(let approved): approved.signature?.bytes.count ?? 0
        case .accessRejected(let rejected): rejected.signature?.bytes.count ?? 0
        case .toolCalled(let called): called.answer?.count ?? 0
        case .modelAnswerRecorded(let recorded): recorded.answer?.count ?? 0
        case .secretStored(let stored): stored.sealed.ciphertext.count
        case .sourcesAnalyzed(let analyzed): analyzed.document.text.utf8.count
        case .buildRequested(let requested): requested.document.text.utf8.count
        case .buildFinished(let finished): finished.log.utf8.count
        case .runExpired(let expired): 18 * expired.accessRequestIDs.count + 16 * expired.usage.count
        case .resourceDeleted, .resourceStatusRecorded, .runStatusChanged, .actionExpired, .actionExecuted,
            .actionFailed, .accessRequested, .accessExpired, .invokeRequested, .apiKeyCreated, .apiKeyRevoked,
            .toolCallStarted, .toolCallReplayed, .toolCallRefused, .payloadMismatched, .secretDeleted,
            .toolCallInterrupted, .modelCalled, .modelCallReplayed, .apiKeyRotated, .deliveryStarted, .deliveryEnded,
            .decisionLinkUsed,
            .buildStarted, .personErasureRequested, .personErased, .keyLossAccepted, .controlStopped,
            .controlStarted:
            0
        }
    }
}
