import Hummingbird

/// What the gate's socket serves: the addresses that carry an agent's token, and the health check. The rest of the API
/// does not exist there, whatever key a request brings.
struct GateMiddleware: RouterMiddleware {
    typealias Context = APIContext

    func handle(
        _ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        let path = request.uri.path
        guard path == "/healthz" || path.hasPrefix(AuthenticationMiddleware.agentPathPrefix) else {
            throw APIError.notFound("not found: an agent reaches what its own address names, and nothing else")
        }
        return try await next(request, context)
    }
}
