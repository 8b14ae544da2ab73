import Domain

/// What a driver's result means for the run.
enum InvokeReport {
    /// The command to record; `nil` when the call was cancelled and nothing is known.
    static func command(for result: InvokeResult, of call: InvokeCall) -> Command? {
        switch result {
        case .cancelled: return nil
        case .unanswered(let error), .unreached(let error):
            return failure(call, statusCode: nil, error: error, isRetryable: true)
        case .refused(let reason): return failure(call, statusCode: nil, error: reason, isRetryable: false)
        case .answered(let statusCode, let body, let bytesCut):
            guard (200..<300).contains(statusCode) else {
                let isUnsupported = statusCode == 501 && call.purpose != .start
                let isRetryable = statusCode >= 500 && !isUnsupported || [408, 425, 429].contains(statusCode)
                let text = JSONRepairs.text(ofBytes: body.prefix(500))
                return failure(
                    call, statusCode: statusCode, error: "the agent answered \(statusCode): \(text)",
                    isRetryable: isRetryable)
            }
            let value = AgentAnswer.value(of: body, bytesCut: bytesCut)
            return .completeInvoke(
                run: call.runID,
                InvokeCompleted(
                    purpose: call.purpose, attempt: call.attempt, statusCode: statusCode, response: value?.text,
                    outcome: outcome(value)))
        }
    }

    static func failure(
        _ call: InvokeCall, statusCode: UInt32?, error: String, isRetryable: Bool
    ) -> Command {
        .failInvoke(
            run: call.runID,
            InvokeFailed(
                purpose: call.purpose, attempt: call.attempt, statusCode: statusCode, error: error,
                isRetryable: isRetryable))
    }

    /// The published runtime says in its answer what it waits for.
    private static func outcome(_ answer: JSONValue?) -> InvokeOutcome {
        if isSet(answer?["approval_required"]) { return .awaitingApproval }
        if isSet(answer?["consent_required"]) { return .awaitingConsent }
        return .finished
    }

    private static func isSet(_ value: JSONValue?) -> Bool {
        switch value {
        case nil, .null?, .bool(false)?: false
        case .bool(true)?, .number?, .string?, .array?, .object?: true
        }
    }
}
