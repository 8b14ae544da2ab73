import Audit
import CommandHandling
import Domain
import HTTPTypes
import Hummingbird
import Projections
import Secrets

extension APIError {
    /// What a client is told about any error.
    init(_ error: any Error) {
        switch error {
        case let error as APIError: self = error
        case let error as CommandError: self.init(error)
        case let error as ProjectionError where error.code == .historyTooLarge:
            // It is as large the next time: nothing to come again for.
            self.init(.badRequest, code: error.code.rawValue, error.description)
        case let error as ProjectionError:
            self.init(.serviceUnavailable, code: error.code.rawValue, error.description)
            self = retryAfter(seconds: 5)
        case let error as SecretsError:
            self.init(.serviceUnavailable, code: error.code.rawValue, error.description)
            self = retryAfter(seconds: 5)
        case let error as AuditError:
            self.init(.serviceUnavailable, .auditUnavailable, error.description)
            self = retryAfter(seconds: 30)
        case let error as any HTTPResponseError:
            let code: HTTPErrorCode = error.status == .notFound ? .notFound : .badRequest
            self.init(error.status, code, error.status.reasonPhrase.lowercased())
        case is CancellationError: self.init(CommandError.stopped("Sluice is shutting down; send the request again"))
        default: self.init(.internalServerError, .internalError, "internal error; see the server's log")
        }
    }

    init(_ error: CommandError) {
        switch error {
        case .rejected(let rejection):
            self.init(Self.status(of: rejection.code), code: rejection.code.rawValue, rejection.message)
            if rejection.code == .apiKeyRevoked { headers[.wwwAuthenticate] = "Bearer" }
            if [.limitReached, .shareExceeded].contains(rejection.code) { self = retryAfter(seconds: 60) }
        case .idempotencyMismatch:
            self.init(
                .unprocessableContent, .idempotencyMismatch,
                "this Idempotency-Key was used with another request; use a new key")
        case .overloaded:
            self.init(.serviceUnavailable, .overloaded, "too many commands are waiting; try again in a moment")
            self = retryAfter(seconds: 1)
        case .readOnly(let reason):
            self.init(.serviceUnavailable, .readOnly, reason)
            self = retryAfter(seconds: 5)
        case .stopped(let reason):
            self.init(.serviceUnavailable, .stopped, reason)
            self = retryAfter(seconds: 30)
        }
    }

    private static func status(of code: RejectionErrorCode) -> HTTPResponse.Status {
        switch code {
        case .invalidArgument: .badRequest
        case .runNotActive, .actionNotActive, .accessRequestNotActive, .resourceNotFound, .apiKeyNotFound,
            .secretNotFound, .decisionLinkUnknown:
            .notFound
        case .invalidTransition, .runNotRunning, .actionNotBlocked, .actionNotApproved, .payloadHashMismatch,
            .accessRequestNotPending, .revisionChanged, .apiKeyExists, .lastAdminKey, .apiKeyConfigured,
            .invokeNotExpected, .callOnItsWay,
            .consentIsTheUsers, .deliveryNotExpected, .decisionLinkUsed, .decisionLinkClosed, .decisionLinkExpired,
            .buildNotOpen, .personActive, .notInTurn, .attemptSuperseded, .journalFull, .runFull, .agentStopped,
            .toolStopped, .workspaceStopped, .modelAliasAmbiguous:
            .conflict
        case .agentMismatch, .foreignSubject, .approvalRequired, .approvalPending, .selfApproval, .notAnApprover,
            .signatureRequired:
            .forbidden
        case .apiKeyRevoked: .unauthorized
        case .limitReached: .serviceUnavailable
        case .shareExceeded: .tooManyRequests
        }
    }
}
