import Domain

extension EventDocument {
    /// What the event says, field by field; digests of keys, recorded answers and sealed secrets stay out.
    static func data(_ payload: EventPayload) -> JSONText {
        .object { json in
            switch payload {
            case .resourceStored(let stored):
                json.add("name", stored.name)
                json.add("revision", stored.revision)
                json.add("document", stored.document)
                json.add("restored_revision", stored.restoredRevision)
            case .resourceDeleted(let deleted): json.add("name", deleted.name)
            case .resourceStatusRecorded(let recorded):
                json.add("name", recorded.name)
                json.add("phase", recorded.phase)
                json.add("message", recorded.message)
                json.add("latency_ms", recorded.latencyMilliseconds)
                json.add("revision", recorded.revision)
            case .runCreated(let created): add(created, to: &json)
            case .runEventAdded(let added):
                json.add("type", added.type)
                json.add("actor", added.actor)
                json.add("payload_hash", added.payloadHash)
                json.add("data", added.data)
                json.add("agent_id", added.agentID)
            case .runStatusChanged(let changed):
                json.add("status", changed.status.rawValue)
                json.add("reason", changed.reason)
            case .actionBlocked(let blocked): add(blocked, to: &json)
            case .actionApproved(let approved):
                json.add("action_id", approved.actionID.description)
                json.add("payload_hash", approved.payloadHash?.text)
                json.add(approved.isConsent ? "scope" : "reason", approved.reason)
                add(approved.signature, to: &json)
            case .actionRejected(let rejected):
                json.add("action_id", rejected.actionID.description)
                json.add("reason", rejected.reason)
                add(rejected.signature, to: &json)
            case .actionExpired(let expired): json.add("action_id", expired.actionID.description)
            case .actionExecuted(let executed): json.add("action_id", executed.actionID.description)
            case .actionFailed(let failed):
                json.add("action_id", failed.actionID.description)
                json.add("reason", failed.reason)
            case .accessRequested(let requested): add(requested, to: &json)
            case .accessApproved(let approved):
                json.add("approver_id", approved.approverID)
                json.add("scope", approved.scope.rawValue)
                json.add("duration", DurationText.format(approved.duration))
                json.add("expires_at", approved.expiresAt)
                json.add("reason", approved.reason)
                add(approved.signature, to: &json)
                addMet(approved, to: &json)
            case .accessRejected(let rejected):
                json.add("approver_id", rejected.approverID)
                json.add("reason", rejected.reason)
                add(rejected.signature, to: &json)
            case .accessExpired(let expired): json.add("reason", expired.reason)
            case .apiKeyRevoked: break
            case .checkpointSaved(let saved):
                json.add("checkpoint_id", saved.checkpointID.description)
                json.add("action_id", saved.actionID)
                json.add("document", saved.document)
            case .toolResultRecorded(let recorded):
                json.add("tool_id", recorded.toolID)
                json.add("document", recorded.document)
            case .invokeRequested(let requested):
                add(requested.purpose, requested.attempt, to: &json)
                json.add("request_id", requested.requestID)
            case .invokeCompleted(let completed):
                add(completed.purpose, completed.attempt, to: &json)
                // An attempt that was cut off while it waits has no status.
                json.add("status_code", completed.statusCode == 0 ? nil : completed.statusCode)
                json.add("outcome", completed.outcome.rawValue)
                json.add("response", completed.response)
            case .invokeFailed(let failed):
                add(failed.purpose, failed.attempt, to: &json)
                json.add("status_code", failed.statusCode)
                json.add("error", failed.error)
                json.add("retryable", failed.isRetryable)
            case .apiKeyCreated(let created):
                json.add("name", created.name)
                json.add("role", created.role.rawValue)
                json.add("prefix", created.prefix)
                json.add("last4", created.last4)
                json.add("expires_at", created.expiresAt)
                if !created.groups.isEmpty { json.add("groups", created.groups) }
                json.add("agent", created.agent)
                if created.onlyGroups { json.add("only_groups", true) }
            case .apiKeyRotated(let rotated):
                json.add("prefix", rotated.prefix)
                json.add("last4", rotated.last4)
                json.add("expires_at", rotated.expiresAt)
                json.add("previous_until", rotated.previousUntil)
            case .answerRecorded(let answer):
                json.add("idempotency_key", answer.token.key)
                json.add("status_code", answer.statusCode)
            case .toolCallStarted(let started): add(started.call, to: &json)
            case .toolCalled(let called): add(called, to: &json)
            case .toolCallReplayed(let replayed):
                json.add("call_id", replayed.callID.description)
                json.add("replayed", true)
            case .toolCallInterrupted(let interrupted):
                json.add("call_id", interrupted.callID.description)
                json.add("outcome", "unknown")
            case .toolCallRefused(let refused):
                json.add("tool_id", refused.toolID)
                json.add("tool_method", refused.method)
                json.add("tool_url", refused.url)
                json.add("payload_hash", refused.payloadHash.text)
                json.add("reason", refused.reason)
            case .payloadMismatched(let mismatched):
                json.add("action_id", mismatched.actionID.description)
                json.add("approved_payload_hash", mismatched.approved.text)
                json.add("payload_hash", mismatched.presented.text)
                json.add("approved_headers_hash", mismatched.headers?.approved.text)
                json.add("headers_hash", mismatched.headers?.presented.text)
            case .actionVoted(let voted):
                json.add("action_id", voted.actionID.description)
                json.add("approver_id", voted.approverID)
                json.add("groups", voted.groups)
                if voted.scope != .once {
                    json.add("scope", voted.scope.rawValue)
                    json.add("duration", voted.duration.map(DurationText.format))
                }
                json.add("reason", voted.reason)
                add(voted.signature, to: &json)
            case .secretStored(let stored):
                json.add("owner_kind", stored.kind.singular)
                json.add("owner", stored.owner)
                json.add("name", stored.name)
            case .deliveryStarted(let started): add(started, to: &json)
            case .deliveryEnded(let ended): add(ended, to: &json)
            case .decisionLinkUsed(let used):
                add(used.label, to: &json)
                json.add("decision", used.approves ? "approved" : "rejected")
            case .modelCalled(let called): add(called, to: &json)
            case .modelAnswerRecorded(let recorded):
                json.add("call_id", recorded.callID.description)
                json.add("kept", recorded.answer != nil)
            case .modelCallReplayed(let replayed):
                json.add("call_id", replayed.callID.description)
                if !replayed.isAskedAgain { json.add("replayed", true) }
            case .sourcesAnalyzed(let analyzed):
                json.add("document", analyzed.document)
                json.add("expires_at", analyzed.expiresAt)
            case .buildRequested(let requested):
                json.add("name", requested.name)
                json.add("image", requested.image)
                json.add("document", requested.document)
            case .buildStarted(let started): json.add("attempt", started.attempt)
            case .buildFinished(let finished):
                json.add("error", finished.error)
                json.add("log", finished.log)
                json.add("image_id", finished.imageID)
                json.add("image_error", finished.imageError)
            case .personErasureRequested(let requested): json.add("user_id", requested.userID)
            case .personErased(let erased): json.add("events", erased.events)
            case .keyLossAccepted(let loss):
                json.add("people", loss.people)
                json.add("secrets", loss.secrets)
                json.add("payload_days", loss.payloadDays)
            case .runExpired(let expired):
                json.add("run_id", expired.runID.description)
                json.add("request_ids", expired.accessRequestIDs.map(\.description))
            case .controlStopped(let stopped):
                json.add("name", stopped.name)
                json.add("reason", stopped.reason)
                json.add("runs", stopped.holdsRuns ? "hold" : "cancel")
            case .controlStarted(let started):
                json.add("name", started.name)
                json.add("reason", started.reason)
            case .secretDeleted(let deleted):
                json.add("owner_kind", deleted.kind.singular)
                json.add("owner", deleted.owner)
                json.add("name", deleted.name)
            }
        }
    }

    private static func add(_ created: RunCreated, to json: inout JSONObject) {
        json.add("agent_id", created.agentID)
        json.add("agent_uid", created.agentUID?.description)
        json.add("user_id", created.userID)
        json.add("conversation_id", created.conversationID)
        json.add("invoke_url", created.invokeURL)
        json.add("initial_message", created.initialMessage)
        json.add("input", created.input)
        json.add("deadline", created.deadline)
    }

    private static func add(_ blocked: ActionBlocked, to json: inout JSONObject) {
        json.add("action_id", blocked.actionID.description)
        json.add("tool_id", blocked.toolID)
        json.add("capability", blocked.capability)
        json.add("payload_hash", blocked.payloadHash?.text)
        json.add("headers_hash", blocked.call?.headersHash?.text)
        json.add("tool_method", blocked.method)
        json.add("tool_url", blocked.url)
        json.add("request_id", blocked.accessRequestID?.description)
        json.add("expires_at", blocked.expiresAt)
        guard let call = blocked.call else { return }
        json.add("message", call.reason)
        json.add("approval", call.requirement.name)
        json.add("approver_groups", call.requirement.groups)
        json.add("approver_match", call.requirement.match)
        json.add("approver_clauses", call.requirement.clausesJSON?.text)
        if call.requirement.needsSignature { json.add("signature_required", true) }
    }

    private static func add(_ requested: AccessRequested, to json: inout JSONObject) {
        json.add("subject", requested.subject)
        json.add("tool_id", requested.toolID)
        json.add("agent_id", requested.agentID)
        json.add("duration", DurationText.format(requested.duration))
        json.add("run_id", requested.run?.runID.description)
        json.add("action_id", requested.run?.actionID.description)
        json.add("capability", requested.capability)
        json.add("payload_hash", requested.payloadHash?.text)
        json.add("headers_hash", requested.headersHash?.text)
        json.add("tool_method", requested.method)
        json.add("tool_url", requested.url)
        json.add("tool_uid", requested.tool?.id.description)
        json.add("tool_origin", requested.tool?.origin)
        json.add("agent_uid", requested.agentUID?.description)
        json.add("expires_at", requested.expiresAt)
    }

    private static func add(_ purpose: InvokePurpose, _ attempt: UInt32, to json: inout JSONObject) {
        switch purpose {
        case .start: json.add("purpose", "start")
        case .resume(let id):
            json.add("purpose", "resume")
            json.add("action_id", id.description)
        }
        json.add("attempt", attempt)
    }
}
