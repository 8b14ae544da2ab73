/// One call of a tool through the gate.
package struct ToolCall: Hashable, Sendable {
    package let id: ToolCallID
    package let toolID: String
    /// The capability of the tool that allows it; `nil` when the tool declares none.
    package let capability: String?
    package let method: String
    /// Where it goes, as the agent asked for it: without what the gate adds as credentials.
    package let url: String
    /// SHA-256 of the body.
    package let payloadHash: PayloadHash
    /// The same for the same turn, method, URL and body.
    package let fingerprint: UUIDValue
    /// Whether making it twice does no more than making it once.
    package let isRepeatable: Bool
    /// The approved action that it carries out.
    package var actionID: ActionID?
    /// The grant that it is made under.
    package var grantID: AccessRequestID?

    package init(
        id: ToolCallID, toolID: String, capability: String?, method: String, url: String, payloadHash: PayloadHash,
        fingerprint: UUIDValue, isRepeatable: Bool, actionID: ActionID? = nil, grantID: AccessRequestID? = nil
    ) {
        self.id = id
        self.toolID = toolID
        self.capability = capability
        self.method = method
        self.url = url
        self.payloadHash = payloadHash
        self.fingerprint = fingerprint
        self.isRepeatable = isRepeatable
        self.actionID = actionID
        self.grantID = grantID
    }
}

/// A call that may not be made twice is about to be made.
package struct ToolCallStarted: Hashable, Sendable {
    package let call: ToolCall

    package init(call: ToolCall) { self.call = call }
}

/// What came of a call of a tool.
package struct ToolCalled: Hashable, Sendable {
    package enum Outcome: Hashable, Sendable {
        /// The tool answered, and the agent got that answer.
        case answered(statusCode: UInt32)
        /// The tool was not reached; the agent got an error with that status instead.
        case unreached(statusCode: UInt32, error: String)
        /// Nobody knows whether the tool did it: the connection broke, time ran out, or the process ended.
        case unknown(error: String)
    }

    package let call: ToolCall
    package let outcome: Outcome
    /// From the request's first byte to the answer's last.
    package let latency: Duration
    /// The whole answer's length.
    package let answerBytes: UInt64
    /// The answer as the agent got it; `nil` when it was too large to keep.
    package let answer: SealedBytes?

    package init(call: ToolCall, outcome: Outcome, latency: Duration, answerBytes: UInt64, answer: SealedBytes?) {
        self.call = call
        self.outcome = outcome
        self.latency = latency
        self.answerBytes = answerBytes
        self.answer = answer
    }
}

/// The agent asked again for what it had asked for before, and got the recorded answer.
package struct ToolCallReplayed: Hashable, Sendable {
    package let callID: ToolCallID

    package init(callID: ToolCallID) { self.callID = callID }
}

/// A call was not let through.
package struct ToolCallRefused: Hashable, Sendable {
    package let toolID: String
    package let method: String
    package let url: String
    package let payloadHash: PayloadHash
    /// Which rule refused it, and why.
    package let reason: String

    package init(toolID: String, method: String, url: String, payloadHash: PayloadHash, reason: String) {
        self.toolID = toolID
        self.method = method
        self.url = url
        self.payloadHash = payloadHash
        self.reason = reason
    }
}

/// Other bytes came than the ones that were approved: nothing was carried out.
package struct PayloadMismatched: Hashable, Sendable {
    package let actionID: ActionID
    package let approved: PayloadHash
    package let presented: PayloadHash

    package init(actionID: ActionID, approved: PayloadHash, presented: PayloadHash) {
        self.actionID = actionID
        self.approved = approved
        self.presented = presented
    }
}

/// Bytes that only the holder of a key can read; destroying the key makes them unreadable wherever they are.
package struct SealedBytes: Hashable, Sendable {
    package let keyID: String
    package let ciphertext: [UInt8]

    package init(keyID: String, ciphertext: [UInt8]) {
        self.keyID = keyID
        self.ciphertext = ciphertext
    }
}

/// Who has to approve a call.
package struct ApprovalRequirement: Hashable, Sendable {
    /// The policy's name for it.
    package let name: String
    /// Groups of which an approver has to be a member; empty means any approver.
    package let groups: [String]
    /// Whether every group has to approve, or one of them.
    package let needsEveryGroup: Bool
    /// How long a grant lasts when the approver does not say.
    package let duration: Duration?

    package init(name: String, groups: [String], needsEveryGroup: Bool, duration: Duration?) {
        self.name = name
        self.groups = groups
        self.needsEveryGroup = needsEveryGroup
        self.duration = duration
    }
}

/// What the gate knows of a call that it blocked, beside the action itself.
package struct BlockedCall: Hashable, Sendable {
    package let fingerprint: UUIDValue
    /// Why it needs an approval.
    package let reason: String
    package let requirement: ApprovalRequirement
    /// JSON: the headers that matter to whoever decides.
    package let headers: JSONText
    /// The body, for whoever decides; `nil` when it is too large to keep.
    package let payload: SealedBytes?

    package init(
        fingerprint: UUIDValue, reason: String, requirement: ApprovalRequirement, headers: JSONText,
        payload: SealedBytes?
    ) {
        self.fingerprint = fingerprint
        self.reason = reason
        self.requirement = requirement
        self.headers = headers
        self.payload = payload
    }
}

/// One of several approvals that an action needs was given.
package struct ActionVoted: Hashable, Sendable {
    package let actionID: ActionID
    package let approverID: String
    /// The groups that the approver stands for.
    package let groups: [String]
    package let reason: String?

    package init(actionID: ActionID, approverID: String, groups: [String], reason: String?) {
        self.actionID = actionID
        self.approverID = approverID
        self.groups = groups
        self.reason = reason
    }
}
