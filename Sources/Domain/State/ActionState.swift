/// A blocked action of an unfinished run.
package struct ActionState: Hashable, Sendable {
    /// What is remembered of a call that the gate blocked.
    package struct Gate: Hashable, Sendable {
        /// The approvals that it needs.
        package let requirement: RequiredApproval
        /// Digest of the bound headers; `nil` for a call that was blocked before there was one.
        package let headersHash: PayloadHash?
        /// The tool that the call is to; `nil` for a call that an older version blocked.
        package let tool: ToolIdentity?
        /// The approvals so far, when several are needed.
        package internal(set) var votes: [Vote]
        /// Those whose approvals let the call be made; none while it waits.
        package internal(set) var approvers: [Actor]

        package init(
            requirement: RequiredApproval, headersHash: PayloadHash? = nil, tool: ToolIdentity? = nil,
            votes: [Vote] = [], approvers: [Actor] = []
        ) {
            self.requirement = requirement
            self.headersHash = headersHash
            self.tool = tool
            self.votes = votes
            self.approvers = approvers
        }
    }

    /// One of several approvals that an action needs.
    package struct Vote: Hashable, Sendable {
        package let approver: Actor
        /// The groups that the approver stands for.
        package let groups: [String]
        /// The widest grant that the approver agrees to, and how long it may last.
        package let scope: AccessScope
        package let duration: Duration?
        package let isSigned: Bool

        package init(approver: Actor, groups: [String], scope: AccessScope, duration: Duration?, isSigned: Bool) {
            self.approver = approver
            self.groups = groups
            self.scope = scope
            self.duration = duration
            self.isSigned = isSigned
        }
    }

    /// The state that the agent left to resume from once the action is decided.
    package enum Checkpoint: UInt8, Hashable, Sendable, CaseIterable {
        case none
        /// The runtime's built-in loop resumes where it stopped.
        case loop
        /// The agent's handler starts from the top.
        case handler
        /// A resume through it did not carry out the action, or the agent does not know it.
        case unusable
    }

    package let id: ActionID
    package let toolID: String
    package let method: String?
    package let url: String?
    package let payloadHash: PayloadHash?
    package let accessRequestID: AccessRequestID?
    package let expiresAt: Timestamp
    /// `nil` when a client blocked it.
    package internal(set) var gate: Gate?
    /// Whether it waits, or waited, for the user's consent: it is no approval of any call.
    package let isConsent: Bool
    package internal(set) var status: ActionStatus = .blocked
    /// True when its call was made, so that the approval is used up.
    package internal(set) var isSpent = false
    /// The call that used the approval up last.
    package internal(set) var callID: ToolCallID?
    /// The attempt of the run in which it was created.
    package let createdAttempt: UInt32
    /// The latest attempt of the run when it was approved; `nil` until then.
    package internal(set) var approvedAttempt: UInt32?
    package internal(set) var checkpoint = Checkpoint.none
    /// The attempt in which the agent left its checkpoint.
    package internal(set) var checkpointAttempt: UInt32?

    /// An action as it was remembered before.
    package init(
        id: ActionID, toolID: String, method: String?, url: String?, payloadHash: PayloadHash?,
        accessRequestID: AccessRequestID?, expiresAt: Timestamp, gate: Gate?, isConsent: Bool, status: ActionStatus,
        isSpent: Bool, callID: ToolCallID?, createdAttempt: UInt32, approvedAttempt: UInt32?, checkpoint: Checkpoint,
        checkpointAttempt: UInt32?
    ) {
        self.id = id
        self.toolID = toolID
        self.method = method
        self.url = url
        self.payloadHash = payloadHash
        self.accessRequestID = accessRequestID
        self.expiresAt = expiresAt
        self.gate = gate
        self.isConsent = isConsent
        self.status = status
        self.isSpent = isSpent
        self.callID = callID
        self.createdAttempt = createdAttempt
        self.approvedAttempt = approvedAttempt
        self.checkpoint = checkpoint
        self.checkpointAttempt = checkpointAttempt
    }

    static let ownBytes = 256

    /// About how many bytes it takes in memory; the same from its beginning to its end.
    var footprint: Int {
        Self.ownBytes + toolID.utf8.count + (url?.utf8.count ?? 0)
            + (gate?.requirement.groups.reduce(0) { $0 + 16 + $1.utf8.count } ?? 0)
    }

    /// The action of a call that was just blocked.
    package init(_ blocked: ActionBlocked, attempt: UInt32) {
        createdAttempt = attempt
        id = blocked.actionID
        toolID = blocked.toolID
        method = blocked.method
        url = blocked.url
        payloadHash = blocked.payloadHash
        accessRequestID = blocked.accessRequestID
        expiresAt = blocked.expiresAt
        isConsent = blocked.isConsent
        gate = blocked.call.map { Gate(requirement: $0.requirement, headersHash: $0.headersHash, tool: $0.tool) }
    }
}
