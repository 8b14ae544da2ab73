package import Domain
import EventStreaming

/// What was decided on a blocked action or a request for access, or what became of an erasure: who, what, when, and by which rule, with the events
/// that prove it.
package enum Receipt {
    package enum Subject: Hashable, Sendable {
        case action(ActionID, run: RunID)
        case accessRequest(AccessRequestID)
        case erasure(PersonID)

        var id: UUIDValue {
            switch self {
            case .action(let id, _): id.value
            case .accessRequest(let id): id.value
            case .erasure(let id): id.value
            }
        }

        var runID: RunID? { if case .action(_, let run) = self { run } else { nil } }
    }

    static let format = "sluice-receipt/1"

    /// Whether the event belongs in the receipt.
    static func isPart(_ event: Event, of subject: Subject) -> Bool {
        switch (subject, event.payload) {
        case (.action(let id, _), .actionBlocked(let blocked)): blocked.actionID == id
        case (.action(let id, _), .actionVoted(let voted)): voted.actionID == id
        case (.action(let id, _), .actionApproved(let approved)): approved.actionID == id
        case (.action(let id, _), .actionRejected(let rejected)): rejected.actionID == id
        case (.accessRequest(let id), .accessRequested), (.accessRequest(let id), .accessApproved),
            (.accessRequest(let id), .accessRejected):
            event.stream == .accessRequest(id)
        case (.erasure(let id), .personErasureRequested), (.erasure(let id), .personErased): event.stream == .person(id)
        default: false
        }
    }

    static func isDecision(_ payload: EventPayload) -> Bool {
        switch payload {
        case .actionApproved, .actionRejected, .accessApproved, .accessRejected, .personErased: true
        default: false
        }
    }

    static func json(_ events: [ProvenEvent], _ head: ExportHead) -> JSONText {
        .object { json in
            head.add(to: &json, format: format)
            json.add("decision", decision(events))
            json.add("events", events.map(\.json))
        }
    }

    /// What the events come to, for people: whoever verifies a receipt makes it again from them.
    static func decision(_ events: [ProvenEvent]) -> JSONText {
        .object { json in
            for proven in events { add(proven, to: &json) }
            add(signaturesOf: events.map(\.recorded.event), to: &json)
            let votes = events.filter { if case .actionVoted = $0.recorded.event.payload { true } else { false } }
            guard !votes.isEmpty else { return }
            json.add("votes_before", votes.map { JSONText(string: $0.recorded.event.actor.name) })
        }
    }

    /// The decision's own signature, and those of the votes before it, each with the text that was signed.
    private static func add(signaturesOf events: [Event], to json: inout JSONObject) {
        guard let statement = events.lazy.compactMap({ DecisionStatement($0) }).first else { return }
        var votes: [JSONText] = []
        for event in events {
            guard let signed = SignedDecision(event.payload, of: statement) else { continue }
            if isDecision(event.payload) {
                json.add("signature", signed.json)
            } else {
                votes.append(signed.json)
            }
        }
        if !votes.isEmpty { json.add("vote_signatures", votes) }
    }

    private static func add(_ proven: ProvenEvent, to json: inout JSONObject) {
        let event = proven.recorded.event
        switch event.payload {
        case .actionBlocked(let blocked):
            json.add("action_id", blocked.actionID.description)
            json.add("tool_id", blocked.toolID)
            json.add("capability", blocked.capability)
            json.add("method", blocked.method)
            json.add("url", blocked.url)
            json.add("payload_hash", blocked.payloadHash?.text)
            json.add("headers_hash", blocked.call?.headersHash?.text)
            json.add("policy_rule", blocked.call?.requirement.name)
            json.add("blocked_because", blocked.call?.reason)
            json.add("blocked_at", event.time)
        case .accessRequested(let requested):
            json.add("request_id", event.stream.id.text)
            json.add("subject", requested.subject)
            json.add("tool_id", requested.toolID)
            json.add("capability", requested.capability)
            json.add("method", requested.method)
            json.add("url", requested.url)
            json.add("payload_hash", requested.payloadHash?.text)
            json.add("headers_hash", requested.headersHash?.text)
            json.add("tool_origin", requested.tool?.origin)
            json.add("requested_at", event.time)
        case .actionApproved(let approved):
            json.add("outcome", approved.isConsent ? "CONSENTED" : "APPROVED")
            json.add("approved_payload_hash", approved.payloadHash?.text)
            json.add("reason", approved.reason)
        case .actionRejected(let rejected):
            json.add("outcome", "REJECTED")
            json.add("reason", rejected.reason)
        case .accessApproved(let approved):
            json.add("outcome", "APPROVED")
            json.add("scope", approved.scope.rawValue)
            json.add("access_until", approved.expiresAt)
            json.add("reason", approved.reason)
        case .accessRejected(let rejected):
            json.add("outcome", "REJECTED")
            json.add("reason", rejected.reason)
        case .personErasureRequested:
            json.add("person_id", event.stream.id.text)
            json.add("requested_by", EventDocument.actor(event.actor))
            json.add("requested_at", event.time)
        case .personErased(let erased):
            json.add("outcome", "ERASED")
            json.add("events", erased.events)
        default: return
        }
        guard isDecision(event.payload) else { return }
        json.add("decided_by", EventDocument.actor(event.actor))
        json.add("decided_at", event.time)
        json.add("position", proven.recorded.position.value)
    }
}
