package import Domain

extension OpenAIFormat: ProviderFormat {
    /// The kinds that have no format of their own speak this one too.
    package static var kinds: [String] { ["openai"] }

    package init(kind: String) { self.init(isOpenAI: Self.kinds.contains(kind)) }

    package func endpoint(region: String?) -> String? { isOpenAI ? "https://api.openai.com/v1" : nil }

    package var basePath: String { "/v1" }

    package var operationPaths: [String] { ["/chat/completions", "/embeddings", "/responses"] }

    package var probe: ProviderProbe { .path("models") }

    package var passedOn: Set<LLMRequest.Operation> { [.chatCompletions, .embeddings, .responses] }

    package var pricing: ProviderPricing { isOpenAI ? .published : .unknown }
}
