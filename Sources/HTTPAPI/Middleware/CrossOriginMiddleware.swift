import HTTPTypes
import Hummingbird

/// Lets pages of the configured origins use the API (CORS, fetch.spec.whatwg.org, section 3.2).
///
/// Browsers may send no credentials of their own: a page sends its API key in a header. Addresses of agents are no part of
/// it.
struct CrossOriginMiddleware: RouterMiddleware {
    typealias Context = APIContext

    private static let anyOrigin = "*"
    private static let allowedHeaders =
        "Authorization, Content-Type, X-RunAgents-API-Key, X-Workspace-Namespace, X-Payload-Hash, X-End-User-ID, "
        + "X-Request-Id, Idempotency-Key, Last-Event-ID, traceparent"
    private static let exposedHeaders =
        "Sluice-Position, Sluice-Error-Code, X-Request-Id, X-Run-ID, Idempotency-Replayed, Link, Retry-After"
    private static let preflightSeconds = "600"

    private let origins: Set<String>

    init(origins: Set<String>) { self.origins = origins }

    func handle(
        _ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        guard let origin = request.headers[.origin],
            !request.uri.path.hasPrefix(AuthenticationMiddleware.agentPathPrefix)
        else { return try await next(request, context) }
        guard origins.contains(origin) || origins.contains(Self.anyOrigin) else {
            // Without the field a browser keeps the response from the page; caches keep it from other origins.
            return varying(try await next(request, context))
        }
        let isPreflight = request.method == .options && request.headers[.accessControlRequestMethod] != nil
        var response = isPreflight ? Self.preflight : try await next(request, context)
        response.headers[.accessControlAllowOrigin] = origins.contains(Self.anyOrigin) ? Self.anyOrigin : origin
        response.headers[.accessControlExposeHeaders] = Self.exposedHeaders
        return varying(response)
    }

    private static var preflight: Response {
        Response(
            status: .noContent,
            headers: [
                .accessControlAllowMethods: HTTPMethods.served, .accessControlAllowHeaders: allowedHeaders,
                .accessControlMaxAge: preflightSeconds,
            ])
    }

    private func varying(_ response: Response) -> Response {
        var response = response
        response.headers[values: .vary].append("Origin")
        return response
    }
}
