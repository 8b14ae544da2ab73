import Domain
import EventStreaming
import Projections

extension RunRecord {
    /// - Parameters:
    ///   - era: the documented lifecycle of a run is answered on `v1` exactly as documented.
    ///   - actions: shown to old clients as `blocked_actions`.
    ///   - result: the result that was read by itself, for one that is too large for lists.
    func json(_ era: Era, actions: [ActionRecord]? = nil, result: JSONText? = nil) -> JSONText {
        .object { json in
            json.add("id", id.description)
            json.add("conversation_id", conversationID)
            json.add("initial_message", initialMessage)
            json.add("agent_id", agentID)
            json.add("agent_uid", agentUID?.description)
            json.add("namespace", workspace.text)
            json.add("user_id", userID)
            json.add("status", status.rawValue)
            json.add("reason", reason)
            json.add("blocked_action_id", blockedActionID?.description)
            json.add("invoke_url", invokeURL)
            addOutcome(to: &json, result)
            json.add("created_at", createdAt)
            json.add("updated_at", updatedAt)
            guard era == .v1alpha else { return }
            json.add("agent", agentID)
            json.add("message", initialMessage)
            if let actions { json.add("blocked_actions", actions.map(\.json)) }
        }
    }
}

extension RunRecord {
    /// The result of a completed run, and what became of the effects that needed an approval.
    private func addOutcome(to json: inout JSONObject, _ whole: JSONText?) {
        if status == .completed, let result {
            json.add("result", result.listed ?? whole)
            json.add("result_bytes", result.bytes)
        }
        guard !effects.isEmpty else { return }
        var counts = JSONObject()
        counts.add("performed", effects.performed)
        counts.add("failed", effects.failed)
        counts.add("rejected", effects.rejected)
        counts.add("expired", effects.expired)
        json.add("effects", counts)
        json.add("result_note", effects.note)
    }
}

extension RunEffects {
    /// A sentence that names a failed effect; `nil` when none failed.
    fileprivate var note: String? {
        failure.map { "\(failed) of \(performed + failed) approved effects failed: \($0)" }
    }
}

extension ActionRecord {
    var json: JSONText {
        .object { json in
            json.add("action_id", id.description)
            json.add("run_id", runID.description)
            json.add("tool_id", toolID)
            json.add("capability", capability)
            json.add("payload_hash", payloadHash)
            json.add("headers_hash", headersHash)
            json.add("tool_method", method)
            json.add("tool_url", url)
            json.add("status", status.rawValue)
            json.add("tool_status", toolStatus)
            json.add("reason", reason)
            json.add("approver_id", approverID)
            json.add("expires_at", expiresAt)
            json.add("created_at", createdAt)
            json.add("updated_at", updatedAt)
        }
    }
}

extension AccessRequestRecord {
    var json: JSONText {
        .object { json in
            json.add("id", id.description)
            json.add("subject", subject)
            json.add("agent_id", agentID)
            json.add("tool_id", toolID)
            json.add("status", status.rawValue)
            json.add("duration", DurationText.format(duration))
            json.add("scope", scope?.rawValue)
            json.add("approver_id", approverID)
            json.add("reason", reason)
            json.add("action_id", actionID?.description)
            json.add("run_id", runID?.description)
            json.add("capability", capability)
            json.add("payload_hash", payloadHash)
            json.add("headers_hash", headersHash)
            json.add("tool_method", method)
            json.add("tool_url", url)
            json.add("tool_uid", tool?.id.description)
            json.add("tool_origin", tool?.origin)
            json.add("created_at", createdAt)
            json.add("updated_at", updatedAt)
            json.add("expires_at", expiresAt)
            json.add("covers", covers)
            json.add("agent", agentID)
            json.add("tool", toolID)
        }
    }

    /// The coverage of a request that no grant follows from.
    var coversNoCall: String { "no call through the gate: the request is not tied to a registered tool" }

    /// The calls that a grant covers or would cover, for a request that a client made.
    private var covers: String? {
        guard let coverage else { return nil }
        switch (status, scope) {
        case (.pending, _), (.approved, .some):
            guard tool != nil else { return coversNoCall }
            return scope.map { coverage.sentence($0, until: expiresAt.description) } ?? coverage.pendingSentence
        case (.approved, nil), (.rejected, _), (.expired, _): return nil
        }
    }
}
