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

    let invokesOfToken: @Sendable (String) -> AgentInvokes

    func handle(
        _ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        let key = AuthenticationMiddleware.agentKey(request.uri.path)
        guard !key.isEmpty else { return try await next(request, context) }
        let invokes = invokesOfToken(key)
        var context = context
        context.principal?.turns = Set(invokes.open.map(\.run))
        context.principal?.isStarting = invokes.isStarting
        guard request.headers[.runID] == nil, invokes.open.count == 1 else { return try await next(request, context) }
        guard !invokes.hasAbandoned else {
            throw APIError.conflict(
                "X-Run-ID is required: a run of this process was cancelled or timed out, and its handler may be the one "
                    + "that asks")
        }
        var head = request.head
        head.headerFields[.runID] = invokes.open[0].run.description
        if head.headerFields[.requestID] == nil { head.headerFields[.requestID] = invokes.open[0].requestID }
        return try await next(Request(head: head, body: request.body), context)
    }
}
