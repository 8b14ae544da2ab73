import Domain
import HTTPTypes
import Hummingbird

/// Attributes an agent's call of a tool or a model that names no run to the only run that its instance is at.
///
/// The connection proves the instance, by the token in the address. With several runs at a time it does not prove the
/// run, and the request stays as it is.
struct AttributionMiddleware: RouterMiddleware {
    typealias Context = APIContext

    let invokeOfToken: @Sendable (String) -> AgentInvoke?

    func handle(
        _ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        let key = AuthenticationMiddleware.agentKey(request.uri.path)
        guard !key.isEmpty, request.headers[.runID] == nil, let invoke = invokeOfToken(key) else {
            return try await next(request, context)
        }
        var head = request.head
        head.headerFields[.runID] = invoke.run.description
        if head.headerFields[.requestID] == nil { head.headerFields[.requestID] = invoke.requestID }
        return try await next(Request(head: head, body: request.body), context)
    }
}
