package import Domain

/// Carries out one attempt of an invoke.
package protocol InvokeDriver: Sendable {
    /// Calls the agent. Answers `.cancelled` when its task is cancelled; never throws.
    func invoke(_ call: InvokeCall) async -> InvokeResult
}

/// Everything a driver needs to know about an attempt.
package struct InvokeCall: Hashable, Sendable {
    package let runID: RunID
    package let workspace: WorkspaceName
    package let userID: String
    package let conversationID: String?
    package fileprivate(set) var message: String
    /// What else the client has for the agent, an object.
    package fileprivate(set) var input: JSONText?
    /// True until message and input are read from the run's first event.
    let isInputInLog: Bool
    package let invokeURL: String
    package let purpose: InvokePurpose
    package let attempt: UInt32
    /// Names the attempt.
    package let requestID: String
    /// The same for an attempt that repeats a failed one.
    package let idempotencyKey: String

    /// The call with the message and the input of the run's first event.
    func with(_ created: RunCreated) -> InvokeCall {
        var call = self
        (call.message, call.input) = (created.initialMessage ?? "", created.input)
        return call
    }
}

package enum InvokeResult: Hashable, Sendable {
    /// The answer, and the number of bytes of it that exceeded the limit and are not in `body`.
    case answered(statusCode: UInt32, body: [UInt8], bytesCut: Int = 0)
    /// No answer: unreachable, broken off, or too slow.
    case unanswered(String)
    /// Nothing listens at the address: the call was not made.
    case unreached(String)
    /// Not called at all, and not to be tried again until somebody changes something.
    case refused(String)
    case cancelled
}
