import Gateways
import HTTPTypes

/// Models, where the clients of both eras and the SDKs of model providers look for them.
extension RouteTable {
    mutating func addModels(_ api: APIHandlers) {
        for address in ["", "/api/v1"] { addModelGateway(below: address, api) }
        for base in ["/api/v1", "/api/v1/workspaces/:workspace"] { addModelCalls(at: base, asOf: .answered, api) }
        addDeploymentPaths(below: "", asOf: .answered, api)
        addResponses(below: "", api)
        on(.get, "/model-spend", under: Self.apiPrefixes, .read, query: ["limit"], api.modelSpend)
        on(
            .get, "/model-usage", under: Self.apiPrefixes, .read,
            query: ["group_by", "from", "to", "since", "agent", "limit"], api.modelUsage)
        addModelLimits(api)
    }

    /// Responses that were made before.
    mutating func addResponses(below address: String, _ api: APIHandlers) {
        onUnread(.get, address + "/v1/responses/:id", .actAsAgent, asOf: .refused, api.findResponse)
        onUnread(.delete, address + "/v1/responses/:id", .actAsAgent, api.findResponse)
    }

    /// The bases below an address: what `LLM_GATEWAY_URL` and the base URLs of SDKs name.
    ///
    /// Clients send chat completions to the base itself too, and some put another `/v1` below it.
    mutating func addModelGateway(below address: String, asOf: AsOfSupport = .answered, _ api: APIHandlers) {
        for base in [address + "/v1", address + "/v1/p/:provider"] {
            onUnread(.post, base, .actAsAgent) { try await api.callModel(.chatCompletions, $0, $1) }
            addModelCalls(at: base, asOf: asOf, api)
            addModelCalls(at: base + "/v1", asOf: asOf, api)
        }
    }

    private mutating func addModelLimits(_ api: APIHandlers) {
        on(.get, "/model-limits", under: Self.apiPrefixes, .read, query: [], api.listModelLimits)
        on(.get, "/model-limits/:name", under: Self.apiPrefixes, .read, api.getModelLimit)
        on(.put, "/model-limits/:name", under: Self.apiPrefixes, .manageResources, api.putModelLimit)
        on(.delete, "/model-limits/:name", under: Self.apiPrefixes, .manageResources, api.deleteModelLimit)
    }

    /// Azure's addresses, of which those of deployments name the model.
    mutating func addDeploymentPaths(below address: String, asOf: AsOfSupport, _ api: APIHandlers) {
        for operation in [LLMRequest.Operation.chatCompletions, .embeddings] {
            onUnread(.post, address + "/openai/deployments/:model/" + operation.rawValue, .actAsAgent) {
                try await api.callModel(operation, $0, $1)
            }
        }
        // The API of responses has the model in its body.
        onUnread(.post, address + "/openai/responses", .actAsAgent) { try await api.callModel(.responses, $0, $1) }
        onUnread(.get, address + "/openai/models", .read, query: .modelPages, asOf: asOf, api.listModels)
        onUnread(.get, address + "/openai/models/**", .read, asOf: asOf, api.getModel)
    }

    private mutating func addModelCalls(at base: String, asOf: AsOfSupport, _ api: APIHandlers) {
        for operation in LLMRequest.Operation.allCases {
            onUnread(.post, base + "/" + operation.rawValue, .actAsAgent) {
                try await api.callModel(operation, $0, $1)
            }
        }
        onUnread(.get, base + "/models", .read, query: .modelPages, asOf: asOf, api.listModels)
        onUnread(.get, base + "/models/**", .read, asOf: asOf, api.getModel)
    }
}

extension QueryParameters {
    /// Those of the SDKs of OpenAI and of Anthropic, which send others too.
    fileprivate static let modelPages = openTo("limit", "after_id", "before_id")
}
