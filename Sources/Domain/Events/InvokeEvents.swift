/// What an invoke of the agent is for.
package enum InvokePurpose: Hashable, Sendable {
    /// The run's first turn.
    case start
    /// The turn after that action's approval.
    case resume(ActionID)
}

/// How the agent's turn ended.
package enum InvokeOutcome: String, Hashable, Sendable, CaseIterable {
    case finished
    /// The agent stopped because an action waits for approval.
    case awaitingApproval
    /// The agent stopped because a person has to connect a tool first.
    case awaitingConsent
}

/// The server decided to call the agent; written before the call is made.
package struct InvokeRequested: Hashable, Sendable {
    package let purpose: InvokePurpose
    /// From 1, within one purpose.
    package let attempt: UInt32
    /// `X-Request-Id`: the same for every attempt of one purpose, so that an agent can recognise a repetition.
    package let requestID: String

    package init(purpose: InvokePurpose, attempt: UInt32, requestID: String) {
        self.purpose = purpose
        self.attempt = attempt
        self.requestID = requestID
    }
}

/// The agent answered with success.
package struct InvokeCompleted: Hashable, Sendable {
    package let purpose: InvokePurpose
    package let attempt: UInt32
    package let statusCode: UInt32
    /// The agent's answer as JSON, repaired or cut where need be (docs/http.md); `nil` for an empty one.
    package let response: JSONText?
    package let outcome: InvokeOutcome

    package init(
        purpose: InvokePurpose, attempt: UInt32, statusCode: UInt32, response: JSONText?, outcome: InvokeOutcome
    ) {
        self.purpose = purpose
        self.attempt = attempt
        self.statusCode = statusCode
        self.response = response
        self.outcome = outcome
    }
}

/// The agent could not be reached, or answered with an error.
package struct InvokeFailed: Hashable, Sendable {
    package let purpose: InvokePurpose
    package let attempt: UInt32
    /// The agent's status; `nil` when there was no answer.
    package let statusCode: UInt32?
    package let error: String
    /// Whether another attempt may succeed: no answer, 408, 429 or 5xx.
    package let isRetryable: Bool

    package init(
        purpose: InvokePurpose, attempt: UInt32, statusCode: UInt32?, error: String, isRetryable: Bool
    ) {
        self.purpose = purpose
        self.attempt = attempt
        self.statusCode = statusCode
        self.error = error
        self.isRetryable = isRetryable
    }
}
