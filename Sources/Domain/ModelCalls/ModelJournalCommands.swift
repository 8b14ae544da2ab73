/// Asks for the recorded response of a model call.
package struct TakeModelCall: Hashable, Sendable {
    package let agentID: String
    /// Operation, provider and body; `nil` only checks that the attempt may call a model.
    package let identity: UUIDValue?
    /// The `X-Request-Id` of the call, which names its attempt; `nil` when the client sends none.
    package let requestID: String?

    package init(agentID: String, identity: UUIDValue?, requestID: String?) {
        self.agentID = agentID
        self.identity = identity
        self.requestID = requestID
    }
}

/// The response of a model, to be recorded with its call.
package struct ModelAnswer: Hashable, Sendable {
    package let callID: ModelCallID
    package let identity: UUIDValue
    /// The number of the attempt that made the call.
    package let attempt: UInt32
    /// `nil` when the response was too large to keep.
    package let sealed: [UInt8]?

    package init(callID: ModelCallID, identity: UUIDValue, attempt: UInt32, sealed: [UInt8]?) {
        self.callID = callID
        self.identity = identity
        self.attempt = attempt
        self.sealed = sealed
    }
}
