/// Asks whether a call may be made now, and as what.
package struct BeginToolCall: Hashable, Sendable {
    package var call: ToolCall
    /// Who makes it, as the gate knows.
    package let agentID: String
    /// The tool whose document the call was judged by.
    package let tool: ToolIdentity
    /// What the policies ask for; `nil` when they allow it.
    package let requirement: RequiredApproval?
    /// What to block, once it is clear that an approval is needed: the first try comes without.
    package let block: BlockToolCall?
    /// The approved action that the agent says the call carries out (`X-Action-ID`).
    package let claimedActionID: ActionID?
    /// Identities under which earlier versions recorded the same call.
    package let earlierFingerprints: [UUIDValue]
    /// An identical call whose caller went away before it had the outcome: this call is that one, made again.
    package let undelivered: ToolCallID?
    /// The limits that the agent's deploy names.
    package let limits: RunLimitOverrides

    package init(
        call: ToolCall, agentID: String, tool: ToolIdentity, requirement: RequiredApproval?,
        block: BlockToolCall? = nil, claimedActionID: ActionID? = nil, earlierFingerprints: [UUIDValue] = [],
        undelivered: ToolCallID? = nil, limits: RunLimitOverrides = RunLimitOverrides()
    ) {
        self.call = call
        self.agentID = agentID
        self.tool = tool
        self.requirement = requirement
        self.block = block
        self.claimedActionID = claimedActionID
        self.earlierFingerprints = earlierFingerprints
        self.undelivered = undelivered
        self.limits = limits
    }
}

/// The new ids, and what is kept of a call that has to wait.
package struct BlockToolCall: Hashable, Sendable {
    package let actionID: ActionID
    package let requestID: AccessRequestID
    /// Why the policies want an approval.
    package let reason: String
    package let headers: JSONText
    package let payload: [UInt8]?

    package init(
        actionID: ActionID, requestID: AccessRequestID, reason: String, headers: JSONText, payload: [UInt8]?
    ) {
        self.actionID = actionID
        self.requestID = requestID
        self.reason = reason
        self.headers = headers
        self.payload = payload
    }
}
