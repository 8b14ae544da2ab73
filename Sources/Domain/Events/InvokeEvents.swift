/// What an invoke of the agent is for.
package enum InvokePurpose: Hashable, Sendable {
    /// The agent's handler starts from the top: the run's first turn, or a later one without a checkpoint.
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
    /// From 1, within the run; within one purpose in records of earlier versions.
    package let attempt: UInt32
    /// `X-Request-Id`: names the attempt; all attempts of one purpose in records of earlier versions.
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
    package private(set) var error: String
    /// Whether another attempt may succeed: no answer, 408, 429 or 5xx.
    package let isRetryable: Bool
    /// True when a stop of the agent or its workspace ended the attempt.
    package let isStopped: Bool

    package init(
        purpose: InvokePurpose, attempt: UInt32, statusCode: UInt32?, error: String, isRetryable: Bool,
        isStopped: Bool = false
    ) {
        self.purpose = purpose
        self.attempt = attempt
        self.statusCode = statusCode
        self.error = error
        self.isRetryable = isRetryable
        self.isStopped = isStopped
    }

    /// The same failure with another text.
    func withError(_ error: String) -> InvokeFailed {
        var failed = self
        failed.error = error
        return failed
    }
}
