import CommandHandling
import Domain
import EventStreaming
import Gateways
import HTTPTypes
import Hummingbird
import Projections

/// The way to models: `…/chat/completions`, `…/responses`, `…/messages`, `…/embeddings` and `…/models`.
extension APIHandlers {
    func callModel(
        _ operation: LLMRequest.Operation, _ request: Request, _ context: APIContext
    ) async throws -> Response {
        let principal = try permitted(context, .actAsAgent)
        let bytes = try await bytes(of: request, context, upTo: configuration.modelBodyBytesMax)
        let body = try BodyParsing.object(bytes, .surrogates)
        let headers = request.headers.map { (name: $0.name.rawName, value: $0.value) }
        let asked = LLMRequest(
            workspace: try workspace(request, context, principal, .object([])),
            caller: ModelCaller(
                agent: principal.agent, acting: principal.actingAgent, actor: principal.actor,
                traceparent: request.headers.shortTraceparent, headers: headers,
                presence: context.caller ?? CallerPresence()),
            operation: operation, provider: try Self.provider(context), model: try body.requiredText("model"),
            errorForm: ModelErrorForm(route: context.endpointPath),
            headers: headers, body: bytes, document: body)
        let registration = endingWithAccess(of: principal, context)
        return Self.response(try await dependencies.models.answer(asked)).holding(registration)
    }

    /// Refuses to read or delete a response: requests refer to earlier ones, and clients keep their text.
    func findResponse(_ request: Request, _ context: APIContext) async throws -> Response {
        _ = try permitted(context, .actAsAgent)
        throw APIError.notFound(
            "responses cannot be read or deleted here: they are kept in memory for an hour, for previous_response_id")
    }

    /// The models that can be asked for, as `GET /v1/models` of OpenAI lists them.
    func listModels(_ request: Request, _ context: APIContext) async throws -> Response {
        let models = try await models(request, context)
        return APIAnswer(
            .ok,
            .object { json in
                json.add("object", "list")
                json.add("data", models.map(Self.json))
            }
        ).response
    }

    /// One of them; its name may have slashes in it.
    func getModel(_ request: Request, _ context: APIContext) async throws -> Response {
        let name = context.parameters.getCatchAll().joined(separator: "/").percentDecoded
        guard let model = try await models(request, context).first(where: { $0.id == name }) else {
            throw APIError.notFound("no provider found for model \"\((name ?? "").excerpt)\"")
        }
        return APIAnswer(.ok, Self.json(model)).response
    }

    private func models(_ request: Request, _ context: APIContext) async throws -> [LLMGateway.ListedModel] {
        let principal = try permitted(context, .read)
        let provider = try Self.provider(context)
        return try await dependencies.models.models(
            in: try workspace(request, context, principal, .object([])),
            of: provider == LLMRequest.anyProvider ? nil : provider, from: projections)
    }

    private static func json(_ model: LLMGateway.ListedModel) -> JSONText {
        .object { json in
            json.add("id", model.id)
            json.add("object", "model")
            json.add("created", 0)
            json.add("owned_by", model.provider)
        }
    }

    /// Asks a registered provider for what costs nothing, and records what was found.
    func testModelProvider(_ request: APIRequest) async throws -> APIAnswer {
        let name = try request.parameter("name")
        let provider = try await resource(.modelProvider, name, request, notFound: Self.notFound(.modelProvider, name))
        let start = ContinuousClock.now
        let problem = await dependencies.models.probe(name, provider.document.value, in: request.workspace)
        let milliseconds = UInt64(start.duration(to: .now) / .milliseconds(1))
        let status = ResourceStatusRecorded(
            kind: .modelProvider, name: name, phase: problem == nil ? "Available" : "Unavailable", message: problem,
            latencyMilliseconds: milliseconds)
        let receipt = try await execute(.recordResourceStatus(status), request)
        let answer = JSONText.object { json in
            json.add("reachable", problem == nil)
            json.add("latency_ms", milliseconds)
            json.add("error", problem)
        }
        return APIAnswer(.ok, answer, position: receipt.position)
    }

    private static func provider(_ context: APIContext) throws(APIError) -> String? {
        guard let raw = context.parameters.get("provider") else { return nil }
        guard let name = raw.percentDecoded else { throw .badRequest("the path is not valid") }
        return name
    }
}
