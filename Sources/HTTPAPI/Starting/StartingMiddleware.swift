import Hummingbird

/// Refuses everything but the two paths that a supervisor asks while Sluice starts.
struct StartingMiddleware: RouterMiddleware {
    typealias Context = APIContext

    static let healthPath = "/healthz"
    static let readinessPath = "/readyz"

    let progress: StartProgress

    func handle(
        _ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        let isAnswered = request.method == .get || request.method == .head
        guard isAnswered, [Self.healthPath, Self.readinessPath].contains(request.uri.path) else {
            throw progress.refusal
        }
        return try await next(request, context)
    }
}
