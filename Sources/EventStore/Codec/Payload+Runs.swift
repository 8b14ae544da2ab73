import Domain
import Foundation

extension Sluice_Events_V1_RunCreated {
    init(_ event: RunCreated) {
        agentID = event.agentID
        if let uid = event.agentUID { agentUid = Data(uid.value) }
        userID = event.userID
        if let id = event.conversationID { conversationID = id }
        if let url = event.invokeURL { invokeURL = url }
        if let message = event.initialMessage { initialMessage = message }
        deadlineUs = event.deadline.microseconds
    }
}

extension RunCreated {
    init(_ proto: Sluice_Events_V1_RunCreated) throws(MalformedRecord) {
        self.init(
            agentID: proto.agentID,
            agentUID: proto.hasAgentUid ? ResourceID(try proto.agentUid.uuid("agent_uid")) : nil,
            userID: proto.userID, conversationID: proto.hasConversationID ? proto.conversationID : nil,
            invokeURL: proto.hasInvokeURL ? proto.invokeURL : nil,
            initialMessage: proto.hasInitialMessage ? proto.initialMessage : nil,
            deadline: Timestamp(microseconds: proto.deadlineUs))
    }
}

extension Sluice_Events_V1_RunEventAdded {
    init(_ event: RunEventAdded) {
        type = event.type
        if let actor = event.actor { self.actor = actor }
        if let hash = event.payloadHash { payloadHash = hash }
        if let data = event.data { self.data = data.text }
    }
}

extension RunEventAdded {
    init(_ proto: Sluice_Events_V1_RunEventAdded) {
        self.init(
            type: proto.type, actor: proto.hasActor ? proto.actor : nil,
            payloadHash: proto.hasPayloadHash ? proto.payloadHash : nil,
            data: proto.hasData ? JSONText(verified: proto.data) : nil)
    }
}

extension Sluice_Events_V1_RunStatusChanged {
    init(_ event: RunStatusChanged) {
        status =
            switch event.status {
            case .running: .running
            case .pausedApproval: .pausedApproval
            case .pausedConsent: .pausedConsent
            case .completed: .completed
            case .failed: .failed
            }
        if let reason = event.reason { self.reason = reason }
    }
}

extension RunStatusChanged {
    init(_ proto: Sluice_Events_V1_RunStatusChanged) throws(MalformedRecord) {
        let status: RunStatus
        switch proto.status {
        case .running: status = .running
        case .pausedApproval: status = .pausedApproval
        case .pausedConsent: status = .pausedConsent
        case .completed: status = .completed
        case .failed: status = .failed
        case .unspecified, .UNRECOGNIZED: throw .missing("status")
        }
        self.init(status: status, reason: proto.hasReason ? proto.reason : nil)
    }
}

extension Sluice_Events_V1_CheckpointSaved {
    init(_ event: CheckpointSaved) {
        checkpointID = Data(event.checkpointID.value)
        actionID = event.actionID
        document = event.document.text
    }
}

extension CheckpointSaved {
    init(_ proto: Sluice_Events_V1_CheckpointSaved) throws(MalformedRecord) {
        self.init(
            checkpointID: CheckpointID(try proto.checkpointID.uuid("checkpoint_id")), actionID: proto.actionID,
            document: JSONText(verified: proto.document))
    }
}

extension Sluice_Events_V1_ToolResultRecorded {
    init(_ event: ToolResultRecorded) {
        if let id = event.toolID { toolID = id }
        document = event.document.text
    }
}

extension ToolResultRecorded {
    init(_ proto: Sluice_Events_V1_ToolResultRecorded) {
        self.init(
            toolID: proto.hasToolID ? proto.toolID : nil, document: JSONText(verified: proto.document))
    }
}
