import Domain
import Foundation

extension Sluice_Events_V1_AccessRequested {
    init(_ event: AccessRequested) {
        subject = event.subject
        toolID = event.toolID
        if let id = event.agentID { agentID = id }
        durationUs = event.duration.microseconds
        if let target = event.run {
            runID = Data(target.runID.value)
            actionID = Data(target.actionID.value)
        }
        if let capability = event.capability { self.capability = capability }
        if let hash = event.payloadHash { payloadHash = hash.text }
        if let method = event.method { self.method = method }
        if let url = event.url { self.url = url }
        expiresAtUs = event.expiresAt.microseconds
    }
}

extension AccessRequested {
    init(_ proto: Sluice_Events_V1_AccessRequested) throws(MalformedRecord) {
        let target =
            proto.hasRunID
            ? AccessRequestTarget(
                runID: RunID(try proto.runID.uuid("run_id")), actionID: try proto.actionID.actionID()) : nil
        self.init(
            subject: proto.subject, toolID: proto.toolID, agentID: proto.hasAgentID ? proto.agentID : nil,
            duration: Duration(microseconds: proto.durationUs), run: target,
            capability: proto.hasCapability ? proto.capability : nil,
            payloadHash: proto.hasPayloadHash ? PayloadHash(proto.payloadHash) : nil,
            method: proto.hasMethod ? proto.method : nil, url: proto.hasURL ? proto.url : nil,
            expiresAt: Timestamp(microseconds: proto.expiresAtUs))
    }
}

extension Sluice_Events_V1_AccessApproved {
    init(_ event: AccessApproved) {
        approverID = event.approverID
        scope =
            switch event.scope {
            case .once: .once
            case .run: .run
            case .agentUserTTL: .agentUserTtl
            }
        durationUs = event.duration.microseconds
        expiresAtUs = event.expiresAt.microseconds
        if let reason = event.reason { self.reason = reason }
    }
}

extension AccessApproved {
    init(_ proto: Sluice_Events_V1_AccessApproved) throws(MalformedRecord) {
        let scope: AccessScope
        switch proto.scope {
        case .once: scope = .once
        case .run: scope = .run
        case .agentUserTtl: scope = .agentUserTTL
        case .unspecified, .UNRECOGNIZED: throw .missing("scope")
        }
        self.init(
            approverID: proto.approverID, scope: scope, duration: Duration(microseconds: proto.durationUs),
            expiresAt: Timestamp(microseconds: proto.expiresAtUs), reason: proto.hasReason ? proto.reason : nil)
    }
}

extension Sluice_Events_V1_AccessRejected {
    init(_ event: AccessRejected) {
        approverID = event.approverID
        if let reason = event.reason { self.reason = reason }
    }
}

extension AccessRejected {
    init(_ proto: Sluice_Events_V1_AccessRejected) {
        self.init(approverID: proto.approverID, reason: proto.hasReason ? proto.reason : nil)
    }
}

extension Sluice_Events_V1_ApiKeyCreated {
    init(_ event: APIKeyCreated) {
        name = event.name
        role =
            switch event.role {
            case .admin: .admin
            case .operator: .operator
            case .approver: .approver
            case .agent: .agent
            case .viewer: .viewer
            }
        digest = event.digest
        prefix = event.prefix
        last4 = event.last4
        if let time = event.expiresAt { expiresAtUs = time.microseconds }
    }
}

extension APIKeyCreated {
    init(_ proto: Sluice_Events_V1_ApiKeyCreated) throws(MalformedRecord) {
        let role: Role
        switch proto.role {
        case .admin: role = .admin
        case .operator: role = .operator
        case .approver: role = .approver
        case .agent: role = .agent
        case .viewer: role = .viewer
        case .unspecified, .UNRECOGNIZED: throw .missing("role")
        }
        self.init(
            name: proto.name, role: role, digest: proto.digest, prefix: proto.prefix, last4: proto.last4,
            expiresAt: proto.hasExpiresAtUs ? Timestamp(microseconds: proto.expiresAtUs) : nil)
    }
}

extension Sluice_Events_V1_AnswerRecorded {
    init(_ event: AnswerRecorded) {
        idempotency = .init(event.token)
        statusCode = event.statusCode
        body = event.body
    }
}

extension AnswerRecorded {
    init(_ proto: Sluice_Events_V1_AnswerRecorded) throws(MalformedRecord) {
        self.init(
            token: try IdempotencyToken(proto.idempotency), statusCode: proto.statusCode, body: proto.body)
    }
}
