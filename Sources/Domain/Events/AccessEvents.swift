/// The run and action that an access request is about.
package struct AccessRequestTarget: Hashable, Sendable {
    package let runID: RunID
    package let actionID: ActionID

    package init(runID: RunID, actionID: ActionID) {
        self.runID = runID
        self.actionID = actionID
    }
}

/// Somebody asked for just-in-time access to a tool.
package struct AccessRequested: Hashable, Sendable {
    package let subject: String
    package let toolID: String
    package let agentID: String?
    /// How long the access is wanted for, once granted.
    package let duration: Duration
    package let run: AccessRequestTarget?
    package let capability: String?
    package let payloadHash: PayloadHash?
    /// Digest of the bound headers; `nil` when the gate does not ask, or asked before there was one.
    package let headersHash: PayloadHash?
    package let method: String?
    package let url: String?
    /// When the request expires if nobody decides.
    package let expiresAt: Timestamp
    /// True when the gate asks, for one call: each is a request of its own.
    package let isForOneCall: Bool
    /// The tool of that name when access was requested; `nil` when there was none, and in records of older versions.
    package let tool: ToolIdentity?
    /// The resource id of the agent of that name, likewise.
    package let agentUID: ResourceID?

    package init(
        subject: String, toolID: String, agentID: String?, duration: Duration, run: AccessRequestTarget?,
        capability: String?, payloadHash: PayloadHash?, headersHash: PayloadHash? = nil, method: String?, url: String?,
        expiresAt: Timestamp, isForOneCall: Bool = false, tool: ToolIdentity? = nil, agentUID: ResourceID? = nil
    ) {
        self.subject = subject
        self.toolID = toolID
        self.agentID = agentID
        self.duration = duration
        self.run = run
        self.capability = capability
        self.payloadHash = payloadHash
        self.headersHash = headersHash
        self.method = method
        self.url = url
        self.expiresAt = expiresAt
        self.isForOneCall = isForOneCall
        self.tool = tool
        self.agentUID = agentUID
    }
}

/// What a granted access covers.
package enum AccessScope: String, Hashable, Sendable, CaseIterable {
    /// That exact hash on that action.
    case once
    /// The same agent, tool and capability for that run.
    case run
    /// The same user, agent and tool until the grant expires.
    case agentUserTTL = "agent_user_ttl"
}

/// A person granted the access.
package struct AccessApproved: Hashable, Sendable {
    package let approverID: String
    package let scope: AccessScope
    package let duration: Duration
    /// When the grant ends.
    package let expiresAt: Timestamp
    package let reason: String?
    package let signature: DecisionSignature?
    /// The requirement that the approvals met; signed only when all of them were. `nil` in records of older versions.
    package let requirement: RequiredApproval?
    /// The groups of the requirement that the approvers stand for, sorted.
    package let approvedGroups: [String]

    package init(
        approverID: String, scope: AccessScope, duration: Duration, expiresAt: Timestamp, reason: String?,
        signature: DecisionSignature? = nil, requirement: RequiredApproval? = nil, approvedGroups: [String] = []
    ) {
        self.approverID = approverID
        self.scope = scope
        self.duration = duration
        self.expiresAt = expiresAt
        self.reason = reason
        self.signature = signature
        self.requirement = requirement
        self.approvedGroups = approvedGroups
    }
}

/// A person refused the access.
package struct AccessRejected: Hashable, Sendable {
    package let approverID: String
    package let reason: String?
    package let signature: DecisionSignature?

    package init(approverID: String, reason: String?, signature: DecisionSignature? = nil) {
        self.approverID = approverID
        self.reason = reason
        self.signature = signature
    }
}

/// Nobody decided in time, or the grant ended.
package struct AccessExpired: Hashable, Sendable {
    /// The reason for an end before the grant's time; `nil` for every other end.
    package let reason: String?

    package init(reason: String? = nil) { self.reason = reason }
}
