/// An access request that is pending, or granted and not yet ended.
package struct AccessRequestState: Hashable, Sendable {
    package let id: AccessRequestID
    package let workspace: WorkspaceName
    package let requested: AccessRequested
    package private(set) var isPending = true
    /// When the wait, or after approval the grant, ends.
    package private(set) var expiresAt: Timestamp
    /// What was granted; `nil` while nothing is.
    package private(set) var scope: AccessScope?
    /// Whether what was granted was signed.
    package private(set) var isSigned = false
    package private(set) var streamSequence: UInt64

    init(id: AccessRequestID, workspace: WorkspaceName, requested: AccessRequested, sequence: UInt64) {
        self.id = id
        self.workspace = workspace
        self.requested = requested
        expiresAt = requested.expiresAt
        streamSequence = sequence
    }

    /// A request as it was remembered before.
    package init(
        id: AccessRequestID, workspace: WorkspaceName, requested: AccessRequested, isPending: Bool,
        expiresAt: Timestamp, scope: AccessScope?, isSigned: Bool, streamSequence: UInt64
    ) {
        self.id = id
        self.workspace = workspace
        self.requested = requested
        self.isPending = isPending
        self.expiresAt = expiresAt
        self.scope = scope
        self.isSigned = isSigned
        self.streamSequence = streamSequence
    }

    mutating func approve(_ approved: AccessApproved, sequence: UInt64) {
        isPending = false
        expiresAt = approved.expiresAt
        scope = approved.scope
        isSigned = approved.signature != nil
        streamSequence = sequence
    }

    /// What would be the same request; `nil` when none would be.
    var pendingKey: PendingAccessKey? {
        guard isPending, !requested.isForOneCall else { return nil }
        return PendingAccessKey(
            workspace: workspace, subject: requested.subject, toolID: requested.toolID, runID: requested.run?.runID)
    }
}

/// What makes two pending requests the same one.
struct PendingAccessKey: Hashable, Sendable {
    let workspace: WorkspaceName
    let subject: String
    let toolID: String
    let runID: RunID?
}
