import Domain
import HTTPTypes
import Hummingbird

/// Adds the runs that an agent's instance is called for to its requests, and attributes a call of a tool or a model that
/// names no run to the only one of them.
///
/// The connection proves the instance, by the token in the address. With several runs at a time it does not prove the
/// run, and the request stays as it is.
struct AttributionMiddleware: RouterMiddleware {
    typealias Context = APIContext

    let invokesOfToken: @Sendable (String) -> [AgentInvoke]

    func handle(
        _ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        let key = AuthenticationMiddleware.agentKey(request.uri.path)
        guard !key.isEmpty else { return try await next(request, context) }
        let invokes = invokesOfToken(key)
        var context = context
        context.principal?.turns = Set(invokes.map(\.run))
        guard request.headers[.runID] == nil, invokes.count == 1 else { return try await next(request, context) }
        var head = request.head
        head.headerFields[.runID] = invokes[0].run.description
        if head.headerFields[.requestID] == nil { head.headerFields[.requestID] = invokes[0].requestID }
        return try await next(Request(head: head, body: request.body), context)
    }
}
