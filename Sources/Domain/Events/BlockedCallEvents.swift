/// Who has to approve a call.
package struct RequiredApproval: Hashable, Sendable {
    /// The policy's name for it.
    package let name: String
    /// Groups of which an approver has to be a member; empty means any approver.
    package let groups: [String]
    /// Whether every group has to approve, or one of them.
    package let needsEveryGroup: Bool
    /// The groups of each approval that is needed, where neither one nor every of `groups` says it; empty elsewhere.
    ///
    /// `groups` are then all of them, and `needsEveryGroup` is true: a reader that does not know of clauses asks for more.
    package let mixedClauses: [[String]]
    /// How long a grant lasts when the approver does not say.
    package let duration: Duration?
    /// How approvers are told, as the rule says; `nil` when it says nothing.
    package let delivery: RequestedDelivery?
    /// True when each approval has to be signed with the approver's own SSH key.
    package let needsSignature: Bool
    /// The longest grant that the rule allows; `nil` when it says nothing.
    package let durationMax: Duration?

    package init(
        name: String, groups: [String], needsEveryGroup: Bool, duration: Duration?, delivery: RequestedDelivery? = nil,
        needsSignature: Bool = false, durationMax: Duration? = nil, mixedClauses: [[String]] = []
    ) {
        self.name = name
        self.groups = groups
        self.needsEveryGroup = needsEveryGroup
        self.mixedClauses = mixedClauses
        self.duration = duration
        self.delivery = delivery
        self.needsSignature = needsSignature
        self.durationMax = durationMax
    }
}

/// How approvers are to be told: what is missing, the workspace's defaults say.
package struct RequestedDelivery: Hashable, Sendable {
    /// Names or ids, in order.
    package let connectors: [String]
    package let mode: String?
    package let fallsBackToUI: Bool?
    /// True when the workspace's default connectors are notified as well.
    package let includesDefaults: Bool

    package init(connectors: [String], mode: String?, fallsBackToUI: Bool?, includesDefaults: Bool = false) {
        self.connectors = connectors
        self.mode = mode
        self.fallsBackToUI = fallsBackToUI
        self.includesDefaults = includesDefaults
    }
}

/// What the gate knows of a call that it blocked, beside the action itself.
package struct BlockedCall: Hashable, Sendable {
    /// The reason of a call that waits whatever the policies say. Recorded reasons are compared with it: it never changes.
    package static let unknownOutcomeReason =
        "the same call was made before, and nobody knows whether the tool carried it out: approve to make it again"

    package let fingerprint: UUIDValue
    /// Why it needs an approval.
    package let reason: String
    package let requirement: RequiredApproval
    /// JSON: the bound headers, which an approval is for.
    package let headers: JSONText
    /// Digest of the bound headers; `nil` for a call that was blocked before there was one.
    package let headersHash: PayloadHash?
    /// The body, sealed, for whoever decides; `nil` when it is too large to keep.
    package let payload: [UInt8]?
    /// The tool that the call is to; `nil` in records of older versions.
    package let tool: ToolIdentity?

    /// Whether it waits because of an earlier call like it, whatever the policies say.
    package var isForUnknownOutcome: Bool { reason == Self.unknownOutcomeReason }

    package init(
        fingerprint: UUIDValue, reason: String, requirement: RequiredApproval, headers: JSONText,
        headersHash: PayloadHash? = nil, payload: [UInt8]?, tool: ToolIdentity? = nil
    ) {
        self.fingerprint = fingerprint
        self.reason = reason
        self.requirement = requirement
        self.headers = headers
        self.headersHash = headersHash
        self.payload = payload
        self.tool = tool
    }
}

/// One of several approvals that an action needs was given.
package struct ActionVoted: Hashable, Sendable {
    package let actionID: ActionID
    package let approverID: String
    /// The groups that the approver stands for.
    package let groups: [String]
    package let reason: String?
    package let signature: DecisionSignature?
    /// The widest grant that the approver agrees to.
    package let scope: AccessScope
    /// The longest that the grant may last; `nil` when it is for the one call.
    package let duration: Duration?

    package init(
        actionID: ActionID, approverID: String, groups: [String], reason: String?, signature: DecisionSignature? = nil,
        scope: AccessScope = .once, duration: Duration? = nil
    ) {
        self.actionID = actionID
        self.approverID = approverID
        self.groups = groups
        self.reason = reason
        self.signature = signature
        self.scope = scope
        self.duration = duration
    }
}
