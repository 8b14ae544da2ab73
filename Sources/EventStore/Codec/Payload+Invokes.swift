import Domain
import Foundation

extension Sluice_Events_V1_InvokeRequested {
    init(_ event: InvokeRequested) {
        if let id = event.purpose.resumedActionID { resumedActionID = id }
        attempt = event.attempt
        requestID = event.requestID
    }
}

extension InvokeRequested {
    init(_ proto: Sluice_Events_V1_InvokeRequested) throws(MalformedRecord) {
        self.init(
            purpose: try InvokePurpose(proto.hasResumedActionID ? proto.resumedActionID : nil),
            attempt: proto.attempt, requestID: proto.requestID)
    }
}

extension Sluice_Events_V1_InvokeCompleted {
    init(_ event: InvokeCompleted) {
        if let id = event.purpose.resumedActionID { resumedActionID = id }
        attempt = event.attempt
        statusCode = event.statusCode
        if let response = event.response { self.response = response.text }
        outcome =
            switch event.outcome {
            case .finished: .finished
            case .awaitingApproval: .awaitingApproval
            case .awaitingConsent: .awaitingConsent
            }
    }
}

extension InvokeCompleted {
    init(_ proto: Sluice_Events_V1_InvokeCompleted) throws(MalformedRecord) {
        let outcome: InvokeOutcome
        switch proto.outcome {
        case .finished: outcome = .finished
        case .awaitingApproval: outcome = .awaitingApproval
        case .awaitingConsent: outcome = .awaitingConsent
        case .unspecified, .UNRECOGNIZED: throw .missing("outcome")
        }
        self.init(
            purpose: try InvokePurpose(proto.hasResumedActionID ? proto.resumedActionID : nil),
            attempt: proto.attempt, statusCode: proto.statusCode,
            response: proto.hasResponse ? JSONText(verified: proto.response) : nil, outcome: outcome)
    }
}

extension Sluice_Events_V1_InvokeFailed {
    init(_ event: InvokeFailed) {
        if let id = event.purpose.resumedActionID { resumedActionID = id }
        attempt = event.attempt
        if let code = event.statusCode { statusCode = code }
        error = event.error
        isRetryable = event.isRetryable
    }
}

extension InvokeFailed {
    init(_ proto: Sluice_Events_V1_InvokeFailed) throws(MalformedRecord) {
        self.init(
            purpose: try InvokePurpose(proto.hasResumedActionID ? proto.resumedActionID : nil),
            attempt: proto.attempt, statusCode: proto.hasStatusCode ? proto.statusCode : nil, error: proto.error,
            isRetryable: proto.isRetryable)
    }
}

extension InvokePurpose {
    fileprivate init(_ resumedActionID: Data?) throws(MalformedRecord) {
        self = if let resumedActionID { .resume(try resumedActionID.actionID()) } else { .start }
    }

    fileprivate var resumedActionID: Data? {
        if case .resume(let id) = self { Data(id.value) } else { nil }
    }
}
