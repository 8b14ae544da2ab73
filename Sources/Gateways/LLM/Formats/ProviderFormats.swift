/// The provider formats: a new one is a line here.
package enum ProviderFormats {
    package static let all: [any ProviderFormat.Type] = [
        OpenAIFormat.self, AnthropicFormat.self, BedrockFormat.self, GeminiFormat.self, OllamaFormat.self,
        PlaygroundFormat.self,
    ]

    /// The format of providers of a kind. A kind that no format has is a service that speaks OpenAI's.
    package static func format(of kind: String) -> any ProviderFormat {
        (all.first { $0.kinds.contains(kind) } ?? OpenAIFormat.self).init(kind: kind)
    }
}
