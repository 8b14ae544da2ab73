import HTTPTypes

/// Stable codes of refused requests, in the header `Sluice-Error-Code`; each has a line in `docs/errors.md`.
enum HTTPErrorCode: String, Hashable, Sendable, CaseIterable {
    case badRequest = "bad_request"
    case unauthorized = "unauthorized"
    case invalidToken = "invalid_token"
    case identityProviderUnavailable = "identity_provider_unavailable"
    case forbidden = "forbidden"
    case notFound = "not_found"
    case methodNotAllowed = "method_not_allowed"
    case conflict = "conflict"
    case preconditionFailed = "precondition_failed"
    case bodyTooLarge = "body_too_large"
    case contentEncodingNotSupported = "content_encoding_not_supported"
    case expectationFailed = "expectation_failed"
    case fieldsTooLarge = "fields_too_large"
    case idempotencyMismatch = "idempotency_mismatch"
    case tooManyRequests = "too_many_requests"
    case tooManyStreams = "too_many_streams"
    case tooManyLists = "too_many_lists"
    case overloaded = "overloaded"
    case readOnly = "read_only"
    case stopped = "stopped"
    case starting = "starting"
    case internalError = "internal_error"
    case agentUnreachable = "agent_unreachable"
    case agentFailed = "agent_failed"
    case notOffered = "not_offered"
    case auditUnavailable = "audit_unavailable"
    case signatureInvalid = "signature_invalid"
    case signerNotAllowed = "signer_not_allowed"
    case inconsistentLog = "inconsistent_log"
    case analysisUnavailable = "analysis_unavailable"
    case analysisFailed = "analysis_failed"
    case asOfOutOfRange = "as_of_out_of_range"
    case asOfNotAnswered = "as_of_not_answered"
}

/// A request that is refused: its status, a stable code, and what to do about it.
package struct APIError: Error, Sendable {
    let status: HTTPResponse.Status
    let code: String
    package let message: String
    var headers = HTTPFields()

    init(_ status: HTTPResponse.Status, _ code: HTTPErrorCode, _ message: String) {
        self.init(status, code: code.rawValue, message)
    }

    init(_ status: HTTPResponse.Status, code: String, _ message: String) {
        self.status = status
        self.code = code
        self.message = message
    }

    static func badRequest(_ message: String) -> APIError { APIError(.badRequest, .badRequest, message) }
    static func notFound(_ message: String) -> APIError { APIError(.notFound, .notFound, message) }
    static func conflict(_ message: String) -> APIError { APIError(.conflict, .conflict, message) }

    func retryAfter(seconds: Int) -> APIError {
        var error = self
        error.headers[.retryAfter] = String(seconds)
        return error
    }
}
