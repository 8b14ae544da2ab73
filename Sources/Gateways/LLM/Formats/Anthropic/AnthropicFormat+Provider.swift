package import Domain

extension AnthropicFormat: ProviderFormat {
    package static var kinds: [String] { ["anthropic"] }

    package init(kind: String) { self.init() }

    package func endpoint(region: String?) -> String? { "https://api.anthropic.com" }

    package var basePath: String { "/v1" }

    package var isVersionedBelowPath: Bool { true }

    package var operationPaths: [String] { ["/messages"] }

    package var probe: ProviderProbe { .path("models") }

    package func authentication(_ auth: JSONValue?, region: String?) -> JSONValue? {
        APIKeyHeader.named("x-api-key", in: auth)
    }

    package var passedOn: Set<LLMRequest.Operation> { [.messages, .countTokens] }

    package var pricing: ProviderPricing { .published }
}
