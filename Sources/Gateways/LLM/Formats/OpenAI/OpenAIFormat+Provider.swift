package import Domain

extension OpenAIFormat: ProviderFormat {
    /// The kinds that have no format of their own speak this one too.
    package static var kinds: [String] { ["openai"] + AzurePaths.kinds.sorted() }

    package init(kind: String) {
        self.init(
            isOpenAI: kind == "openai", isAzure: AzurePaths.kinds.contains(kind), isMistral: kind == "mistral")
    }

    package func endpoint(region: String?) -> String? { isOpenAI ? "https://api.openai.com/v1" : nil }

    package var endpointAdvice: String {
        isAzure
            ? "send the address of your resource, such as https://NAME.openai.azure.com"
            : "send the address of the service, such as https://models.example.com/v1"
    }

    package var basePath: String { isAzure ? AzurePaths.basePath : "/v1" }

    package var operationPaths: [String] { ["/chat/completions", "/embeddings", "/responses"] }

    package var probe: ProviderProbe { .path("models") }

    package func authentication(_ auth: JSONValue?, region: String?) -> JSONValue? {
        isAzure ? APIKeyHeader.named(AzurePaths.keyHeader, in: auth) : auth
    }

    package var passedOn: Set<LLMRequest.Operation> { [.chatCompletions, .embeddings, .responses] }

    package func accepted(_ request: JSONValue) -> JSONValue? { isMistral ? request.withMistralCallIDs : nil }

    package var pricing: ProviderPricing { isOpenAI ? .published : .unknown }
}
