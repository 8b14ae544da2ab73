/// A blocked action of an unfinished run.
package struct ActionState: Hashable, Sendable {
    /// What is remembered of a call that the gate blocked.
    package struct Gate: Hashable, Sendable {
        package let groups: [String]
        package let needsEveryGroup: Bool
        /// Whether each approval has to be signed.
        package let needsSignature: Bool
        /// The groups that have approved, when all have to.
        package internal(set) var approvedGroups: [String]

        package init(
            groups: [String], needsEveryGroup: Bool, needsSignature: Bool = false, approvedGroups: [String] = []
        ) {
            self.groups = groups
            self.needsEveryGroup = needsEveryGroup
            self.needsSignature = needsSignature
            self.approvedGroups = approvedGroups
        }
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
    /// Whether its call was made, so that the approval is used up.
    package internal(set) var isSpent = false

    /// An action as it was remembered before.
    package init(
        id: ActionID, toolID: String, method: String?, url: String?, payloadHash: PayloadHash?,
        accessRequestID: AccessRequestID?, expiresAt: Timestamp, gate: Gate?, isConsent: Bool, status: ActionStatus,
        isSpent: Bool
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
    }

    static let ownBytes = 256

    /// About how many bytes it takes in memory; the same from its beginning to its end.
    var footprint: Int {
        Self.ownBytes + toolID.utf8.count + (url?.utf8.count ?? 0)
            + (gate?.groups.reduce(0) { $0 + 16 + $1.utf8.count } ?? 0)
    }

    init(_ blocked: ActionBlocked) {
        id = blocked.actionID
        toolID = blocked.toolID
        method = blocked.method
        url = blocked.url
        payloadHash = blocked.payloadHash
        accessRequestID = blocked.accessRequestID
        expiresAt = blocked.expiresAt
        isConsent = blocked.isConsent
        gate = blocked.call.map {
            Gate(
                groups: $0.requirement.groups, needsEveryGroup: $0.requirement.needsEveryGroup,
                needsSignature: $0.requirement.needsSignature)
        }
    }
}
