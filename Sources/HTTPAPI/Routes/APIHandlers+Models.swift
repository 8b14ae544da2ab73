import CommandHandling
import Domain
import EventStreaming
import Gateways
import Governance
import HTTPTypes
import Hummingbird
import Projections

/// The way to models: `…/chat/completions`, `…/responses`, `…/messages`, `…/embeddings` and `…/models`.
extension APIHandlers {
    func callModel(
        _ operation: LLMRequest.Operation, _ request: Request, _ context: APIContext
    ) async throws -> Response {
        let principal = try permitted(context, .actAsAgent)
        let bytes = try await text(of: request, context, upTo: configuration.modelBodyBytesMax)
        let body = try Self.modelBody(bytes, context)
        let headers = request.headers.map { (name: $0.name.rawName, value: $0.value) }
        let caller: ModelCaller
        do throws(InvalidHeader) {
            caller = try ModelCaller(
                agent: principal.agent, acting: principal.actingAgent, actor: principal.actor,
                traceparent: request.headers.shortTraceparent, headers: headers,
                presence: context.caller ?? CallerPresence())
        } catch {
            throw APIError.badRequest(error.reason)
        }
        let asked = LLMRequest(
            workspace: try workspace(request, context, principal, .object([])), caller: caller,
            operation: operation, provider: try Self.provider(context), model: try body.document.requiredText("model"),
            errorForm: ModelErrorForm(route: context.endpointPath),
            headers: headers, body: body.bytes, document: body.document)
        let registration = endingWithAccess(of: principal, context)
        return Self.response(try await dependencies.models.answer(asked)).holding(registration)
    }

    /// Refuses to read or delete a response: requests refer to earlier ones, and clients keep their text.
    func findResponse(_ request: Request, _ context: APIContext) async throws -> Response {
        _ = try permitted(context, .actAsAgent)
        throw APIError.notFound(
            "responses cannot be read or deleted here: they are kept in memory for an hour, for previous_response_id")
    }

    /// The body with the model that the address names, as Azure's addresses do, in the place of its own.
    private static func modelBody(
        _ bytes: [UInt8], _ context: APIContext
    ) throws(APIError) -> (document: JSONValue, bytes: [UInt8]) {
        var document = try BodyParsing.object(bytes, .surrogates)
        guard let raw = context.parameters.get("model") else { return (document, bytes) }
        guard let model = raw.percentDecoded, !model.isEmpty else { throw .badRequest("the path is not valid") }
        guard document["model"]?.string != model else { return (document, bytes) }
        document.set("model", .string(model))
        return (document, Array(document.text.text.utf8))
    }

    /// The models that can be asked for, in the form that the SDKs of OpenAI and of Anthropic read.
    func listModels(_ request: Request, _ context: APIContext) async throws -> Response {
        let page = try ModelPage(try await models(request, context)) { request.query($0, context) }
        return APIAnswer(.ok, page.json).response
    }

    /// One of them; its name may have slashes in it.
    func getModel(_ request: Request, _ context: APIContext) async throws -> Response {
        let name = context.parameters.getCatchAll().joined(separator: "/").percentDecoded
        let principal = try permitted(context, .read)
        let model = try await dependencies.models.model(
            name ?? "", in: try workspace(request, context, principal, .object([])),
            of: try Self.chosenProvider(context), from: projections)
        guard let model else {
            throw APIError(
                .notFound, code: "MODEL_UNKNOWN", "no provider found for model \"\((name ?? "").excerpt)\"")
        }
        return APIAnswer(.ok, model.json).response
    }

    private func models(_ request: Request, _ context: APIContext) async throws -> [LLMGateway.ListedModel] {
        let principal = try permitted(context, .read)
        return try await dependencies.models.models(
            in: try workspace(request, context, principal, .object([])), of: try Self.chosenProvider(context),
            from: projections)
    }

    /// The provider that the address names; `nil` for any.
    private static func chosenProvider(_ context: APIContext) throws(APIError) -> String? {
        try provider(context).flatMap { $0 == LLMRequest.anyProvider ? nil : $0 }
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
