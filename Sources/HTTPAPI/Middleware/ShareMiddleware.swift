import Domain
import HTTPTypes
import Hummingbird

/// Gives each principal a share of the requests that are open at the same time, and of the memory that they take.
struct ShareMiddleware: RouterMiddleware {
    typealias Context = APIContext

    let requests: SharePool<Actor.Kind>

    func handle(
        _ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        guard let principal = context.principal else { return try await next(request, context) }
        let holdings: RequestHoldings
        do throws(ShareRefusal) {
            holdings = RequestHoldings(request: try requests.take(for: principal.caller))
        } catch {
            throw APIError(error, of: "open requests", code: .tooManyRequests)
        }
        var context = context
        context.holdings = holdings
        return try await next(request, context).holding(holdings)
    }
}

extension Response {
    /// The same response; a stream keeps the value alive until its last byte is written.
    func holding(_ value: some Sendable) -> Response {
        // A response of known length is written at once.
        guard body.contentLength == nil else { return self }
        var response = self
        let body = body
        response.body = ResponseBody { writer in
            defer { withExtendedLifetime(value) {} }
            try await body.write(writer)
        }
        return response
    }
}

extension APIError {
    /// A refusal for want of a shared resource: of the principal's share, or of the whole.
    init(_ refusal: ShareRefusal, of what: String, code: HTTPErrorCode) {
        let reason =
            switch refusal {
            case .exhausted: "too many \(what)"
            case .shareExceeded: "too many \(what) of this key: its share is used and the rest is kept for others"
            }
        self.init(.tooManyRequests, code, "\(reason); close some, or try again in a moment")
        self = retryAfter(seconds: 5)
    }
}
