/// The response of a model, recorded for later attempts of its run.
///
/// An event of its own beside `ModelCalled`, which outlives the run for budgets and bills: the response goes with the run.
package struct ModelAnswerRecorded: Hashable, Sendable {
    package let callID: ModelCallID
    /// The same for the same operation, provider and body.
    package let identity: UUIDValue
    /// The response as the agent got it, sealed; `nil` when it was too large to keep.
    package let answer: [UInt8]?

    package init(callID: ModelCallID, identity: UUIDValue, answer: [UInt8]?) {
        self.callID = callID
        self.identity = identity
        self.answer = answer
    }
}

/// A later attempt made a recorded call again.
package struct ModelCallReplayed: Hashable, Sendable {
    package let callID: ModelCallID
    /// True when the response was too large to keep, so that the model is asked again.
    package let isAskedAgain: Bool

    package init(callID: ModelCallID, isAskedAgain: Bool) {
        self.callID = callID
        self.isAskedAgain = isAskedAgain
    }
}
