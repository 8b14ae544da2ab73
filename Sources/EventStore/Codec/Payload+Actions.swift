import Domain
import Foundation

extension Sluice_Events_V1_ActionBlocked {
    init(_ event: ActionBlocked) {
        actionID = Data(event.actionID.value)
        toolID = event.toolID
        if let capability = event.capability { self.capability = capability }
        if let hash = event.payloadHash { payloadHash = hash.text }
        if let method = event.method { self.method = method }
        if let url = event.url { self.url = url }
        if let id = event.accessRequestID { accessRequestID = Data(id.value) }
        expiresAtUs = event.expiresAt.microseconds
    }
}

extension ActionBlocked {
    init(_ proto: Sluice_Events_V1_ActionBlocked) throws(MalformedRecord) {
        self.init(
            actionID: try proto.actionID.actionID(), toolID: proto.toolID,
            capability: proto.hasCapability ? proto.capability : nil,
            payloadHash: proto.hasPayloadHash ? PayloadHash(proto.payloadHash) : nil,
            method: proto.hasMethod ? proto.method : nil, url: proto.hasURL ? proto.url : nil,
            accessRequestID: proto.hasAccessRequestID
                ? AccessRequestID(try proto.accessRequestID.uuid("access_request_id")) : nil,
            expiresAt: Timestamp(microseconds: proto.expiresAtUs))
    }
}

extension Sluice_Events_V1_ActionApproved {
    init(_ event: ActionApproved) {
        actionID = Data(event.actionID.value)
        if let hash = event.payloadHash { payloadHash = hash.text }
        if let reason = event.reason { self.reason = reason }
    }
}

extension ActionApproved {
    init(_ proto: Sluice_Events_V1_ActionApproved) throws(MalformedRecord) {
        self.init(
            actionID: try proto.actionID.actionID(),
            payloadHash: proto.hasPayloadHash ? PayloadHash(proto.payloadHash) : nil,
            reason: proto.hasReason ? proto.reason : nil)
    }
}

extension Sluice_Events_V1_ActionRejected {
    init(_ event: ActionRejected) {
        actionID = Data(event.actionID.value)
        if let reason = event.reason { self.reason = reason }
    }
}

extension ActionRejected {
    init(_ proto: Sluice_Events_V1_ActionRejected) throws(MalformedRecord) {
        self.init(actionID: try proto.actionID.actionID(), reason: proto.hasReason ? proto.reason : nil)
    }
}

extension Sluice_Events_V1_ActionExpired {
    init(_ event: ActionExpired) { actionID = Data(event.actionID.value) }
}

extension Sluice_Events_V1_ActionExecuted {
    init(_ event: ActionExecuted) { actionID = Data(event.actionID.value) }
}

extension Sluice_Events_V1_ActionFailed {
    init(_ event: ActionFailed) {
        actionID = Data(event.actionID.value)
        reason = event.reason
    }
}

extension ActionFailed {
    init(_ proto: Sluice_Events_V1_ActionFailed) throws(MalformedRecord) {
        self.init(actionID: try proto.actionID.actionID(), reason: proto.reason)
    }
}

extension Data {
    func actionID() throws(MalformedRecord) -> ActionID { ActionID(try uuid("action_id")) }
}
