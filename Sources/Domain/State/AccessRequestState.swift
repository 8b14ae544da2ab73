/// An access request that is pending, or granted and not yet ended.
package struct AccessRequestState: Hashable, Sendable {
    package let id: AccessRequestID
    package let workspace: WorkspaceName
    package let requested: AccessRequested
    package private(set) var isPending = true
    /// When the wait, or after approval the grant, ends.
    package private(set) var expiresAt: Timestamp
    /// The key or the person that asked; `nil` when Sluice did.
    package let requester: Actor?
    /// What was granted; `nil` while nothing is.
    package private(set) var grant: Grant?
    package private(set) var streamSequence: UInt64

    /// A grant, and what its approvals were worth.
    package struct Grant: Hashable, Sendable {
        package let scope: AccessScope
        package let grantedAt: Timestamp
        /// The requirement that the approvals met.
        package let requirement: RequiredApproval
        package let approvers: [Actor]

        package init(scope: AccessScope, grantedAt: Timestamp, requirement: RequiredApproval, approvers: [Actor]) {
            self.scope = scope
            self.grantedAt = grantedAt
            self.requirement = requirement
            self.approvers = approvers
        }
    }

    init(
        id: AccessRequestID, workspace: WorkspaceName, requested: AccessRequested, requester: Actor, sequence: UInt64
    ) {
        self.id = id
        self.workspace = workspace
        self.requested = requested
        self.requester = requester.isClient ? requester : nil
        expiresAt = requested.expiresAt
        streamSequence = sequence
    }

    /// A request as it was remembered before.
    package init(
        id: AccessRequestID, workspace: WorkspaceName, requested: AccessRequested, requester: Actor?, isPending: Bool,
        expiresAt: Timestamp, grant: Grant?, streamSequence: UInt64
    ) {
        self.id = id
        self.workspace = workspace
        self.requested = requested
        self.requester = requester
        self.isPending = isPending
        self.expiresAt = expiresAt
        self.grant = grant
        self.streamSequence = streamSequence
    }

    /// A grant that an older version recorded says of no requirement, and is worth any approver's approval.
    mutating func approve(_ approved: AccessApproved, by approvers: [Actor], at time: Timestamp, sequence: UInt64) {
        isPending = false
        expiresAt = approved.expiresAt
        grant = Grant(
            scope: approved.scope, grantedAt: time, requirement: approved.requirement ?? .plain, approvers: approvers)
        streamSequence = sequence
    }

    /// What would be the same request; `nil` when none would be.
    var pendingKey: PendingAccessKey? {
        guard isPending, !requested.isForOneCall else { return nil }
        return PendingAccessKey(
            workspace: workspace, subject: requested.subject, toolID: requested.toolID, runID: requested.run?.runID,
            tool: requested.tool, agentUID: requested.agentUID)
    }
}

/// What makes two pending requests the same one.
struct PendingAccessKey: Hashable, Sendable {
    let workspace: WorkspaceName
    let subject: String
    let toolID: String
    let runID: RunID?
    let tool: ToolIdentity?
    let agentUID: ResourceID?
}
