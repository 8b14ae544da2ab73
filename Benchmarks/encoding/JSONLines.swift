import Domain
import Foundation

/// The candidate everybody can read: one JSON object an event, by Foundation's coders.
enum JSONLines {
    static func encode(_ event: Event) throws -> [UInt8] { [UInt8](try JSONEncoder().encode(Line(event))) }

    static func decode(_ bytes: [UInt8]) throws -> Event {
        try JSONDecoder().decode(Line.self, from: Data(bytes)).event
    }
}

/// The shape of a line: what is `nil` is left out.
private struct Line: Codable {
    var v = 1
    var id: String
    var time: Int64
    var workspace: String?
    var run: String
    var streamSequence: UInt64
    var actorKey: String
    var actor: String
    var seq: UInt64?
    var type: String
    var agentID: String?
    var userID: String?
    var conversationID: String?
    var message: String?
    var until: Int64?
    var eventType: String?
    var eventActor: String?
    var payloadHash: String?
    var data: String?
    var actionID: String?
    var toolID: String?
    var capability: String?
    var status: String?
    var reason: String?

    init(_ event: Event) {
        id = event.id.description
        time = event.time.microseconds
        workspace = event.workspace == .default ? nil : event.workspace.text
        run = event.stream.id.text
        streamSequence = event.streamSequence
        actorKey = if case .apiKey(let id) = event.actor.kind { id.description } else { "" }
        actor = event.actor.name
        seq = event.timeline?.sequence
        type = event.payload.typeName
        switch event.payload {
        case .runCreated(let created):
            agentID = created.agentID
            userID = created.userID
            conversationID = created.conversationID
            message = created.initialMessage
            until = created.deadline.microseconds
        case .runEventAdded(let added):
            eventType = added.type
            eventActor = added.actor
            payloadHash = added.payloadHash
            data = added.data?.text
        case .actionBlocked(let blocked):
            actionID = blocked.actionID.description
            toolID = blocked.toolID
            capability = blocked.capability
            payloadHash = blocked.payloadHash?.text
            until = blocked.expiresAt.microseconds
        case .actionApproved(let approved):
            actionID = approved.actionID.description
            payloadHash = approved.payloadHash?.text
            reason = approved.reason
        case .runStatusChanged(let changed):
            status = changed.status.rawValue
            reason = changed.reason
        default: preconditionFailure("only typical run events are measured")
        }
    }

    var event: Event {
        Event(
            id: EventID(uuid(id)), time: Timestamp(microseconds: time),
            workspace: workspace.flatMap(WorkspaceName.init) ?? .default,
            stream: StreamID(kind: .run, id: uuid(run)), streamSequence: streamSequence,
            actor: Actor(kind: .apiKey(APIKeyID(uuid(actorKey))), name: actor),
            causation: Causation(index: 0, idempotency: nil), traceparent: nil,
            timeline: seq.map { TimelineMark(sequence: $0, serverDriven: false) }, payload: payload)
    }

    private var payload: EventPayload {
        switch type {
        case "run.created":
            .runCreated(
                RunCreated(
                    agentID: agentID ?? "", agentUID: nil, userID: userID ?? "", conversationID: conversationID,
                    invokeURL: nil, initialMessage: message, deadline: Timestamp(microseconds: until ?? 0)))
        case "run.event_added":
            .runEventAdded(
                RunEventAdded(
                    type: eventType ?? "", actor: eventActor, payloadHash: payloadHash,
                    data: data.map(JSONText.init(verified:))))
        case "action.blocked":
            .actionBlocked(
                ActionBlocked(
                    actionID: ActionID(uuid(actionID ?? "")), toolID: toolID ?? "", capability: capability,
                    payloadHash: payloadHash.map(PayloadHash.init), method: nil, url: nil, accessRequestID: nil,
                    expiresAt: Timestamp(microseconds: until ?? 0)))
        case "action.approved":
            .actionApproved(
                ActionApproved(
                    actionID: ActionID(uuid(actionID ?? "")), payloadHash: payloadHash.map(PayloadHash.init),
                    reason: reason))
        default:
            .runStatusChanged(RunStatusChanged(status: RunStatus(rawValue: status ?? "") ?? .running, reason: reason))
        }
    }

    private func uuid(_ text: String) -> UUIDValue { UUIDValue(text: text) ?? UUIDValue(high: 0, low: 0) }
}
