import Domain
import Gateways
import HTTPTypes
import Hummingbird

/// The way to models: `…/chat/completions` and `…/embeddings`, in OpenAI's format.
extension APIHandlers {
    func callModel(
        _ operation: LLMRequest.Operation, _ request: Request, _ context: APIContext
    ) async throws -> Response {
        let principal = try permitted(context, .actAsAgent)
        let bytes = try await bytes(of: request, upTo: configuration.modelBodyBytesMax)
        let body = try BodyParsing.object(bytes)
        let headers = request.headers.map { (name: $0.name.rawName, value: $0.value) }
        let asked = LLMRequest(
            workspace: try workspace(request, context, principal, .object([])),
            caller: ModelCaller(
                agent: principal.agent, actor: principal.actor, traceparent: request.headers.shortTraceparent,
                headers: headers),
            operation: operation, provider: try Self.provider(context), model: try body.requiredText("model"),
            headers: headers, body: bytes)
        return Self.response(try await dependencies.models.answer(asked))
    }

    private static func provider(_ context: APIContext) throws(APIError) -> String? {
        guard let raw = context.parameters.get("provider") else { return nil }
        guard let name = raw.percentDecoded else { throw .badRequest("the path is not valid") }
        return name
    }
}
