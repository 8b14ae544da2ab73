/// A call was stopped until somebody approves it, or until the run's user consents to calls of the tool.
package struct ActionBlocked: Hashable, Sendable {
    package let actionID: ActionID
    package let toolID: String
    package let capability: String?
    package let payloadHash: PayloadHash?
    package let method: String?
    package let url: String?
    /// The access request that asks for this action, when one does.
    package let accessRequestID: AccessRequestID?
    /// When the action expires if nobody decides.
    package let expiresAt: Timestamp
    /// What the gate knows of the call, when it was the gate that blocked it.
    package let call: BlockedCall?
    /// Whether it waits for the user's consent, which nobody else can give.
    package let isConsent: Bool

    package init(
        actionID: ActionID, toolID: String, capability: String?, payloadHash: PayloadHash?, method: String?,
        url: String?, accessRequestID: AccessRequestID?, expiresAt: Timestamp, call: BlockedCall? = nil,
        isConsent: Bool = false
    ) {
        self.actionID = actionID
        self.toolID = toolID
        self.capability = capability
        self.payloadHash = payloadHash
        self.method = method
        self.url = url
        self.accessRequestID = accessRequestID
        self.expiresAt = expiresAt
        self.call = call
        self.isConsent = isConsent
    }
}

/// A person allowed the action, bound to the payload hash it was blocked with; or the run's user consented.
package struct ActionApproved: Hashable, Sendable {
    package let actionID: ActionID
    package let payloadHash: PayloadHash?
    package let reason: String?
    package let isConsent: Bool
    package let signature: DecisionSignature?

    package init(
        actionID: ActionID, payloadHash: PayloadHash?, reason: String?, isConsent: Bool = false,
        signature: DecisionSignature? = nil
    ) {
        self.actionID = actionID
        self.payloadHash = payloadHash
        self.reason = reason
        self.isConsent = isConsent
        self.signature = signature
    }
}

/// A person refused the action.
package struct ActionRejected: Hashable, Sendable {
    package let actionID: ActionID
    package let reason: String?
    package let signature: DecisionSignature?

    package init(actionID: ActionID, reason: String?, signature: DecisionSignature? = nil) {
        self.actionID = actionID
        self.reason = reason
        self.signature = signature
    }
}

/// Nobody decided in time.
package struct ActionExpired: Hashable, Sendable {
    package let actionID: ActionID

    package init(actionID: ActionID) { self.actionID = actionID }
}

/// The approved action was carried out.
package struct ActionExecuted: Hashable, Sendable {
    package let actionID: ActionID

    package init(actionID: ActionID) { self.actionID = actionID }
}

/// The approved action could not be carried out.
package struct ActionFailed: Hashable, Sendable {
    package let actionID: ActionID
    package let reason: String

    package init(actionID: ActionID, reason: String) {
        self.actionID = actionID
        self.reason = reason
    }
}
