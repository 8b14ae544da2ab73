package import Domain

extension GeminiFormat: ProviderFormat {
    package static var kinds: [String] { ["gemini", "google"] }

    package init(kind: String) { self.init() }

    package func endpoint(region: String?) -> String? { "https://generativelanguage.googleapis.com" }

    package var basePath: String { "/v1beta" }

    package var isVersionedBelowPath: Bool { true }

    /// Google serves OpenAI's format below `/openai`, and documents that address too.
    package var operationPaths: [String] { ["/openai/chat/completions", "/openai", "/models"] }

    package var probe: ProviderProbe { .path("models") }

    package func authentication(_ auth: JSONValue?, region: String?) -> JSONValue? {
        APIKeyHeader.named("x-goog-api-key", in: auth)
    }

    package var embeddings: (any EmbeddingsTranslator)? { GeminiEmbeddings() }

    package var pricing: ProviderPricing { .published }

    /// Google answers a wrong key with 400, and says in the body when to ask again (google.rpc.ErrorInfo, RetryInfo).
    package func refusal(_ document: JSONValue) -> ProviderRefusal {
        let error = (document.elements.first ?? document)["error"]
        var refusal = ProviderRefusal()
        refusal.isOfCredentials = ["UNAUTHENTICATED", "PERMISSION_DENIED"].contains(error?["status"]?.string ?? "")
        for detail in error?["details"]?.elements ?? [] {
            if detail["reason"]?.string?.hasPrefix("API_KEY_") == true { refusal.isOfCredentials = true }
            guard let delay = detail["retryDelay"]?.string, delay.hasSuffix("s"),
                let seconds = Double(delay.dropLast()),
                (0...86_400).contains(seconds)
            else { continue }
            refusal.retryAfter = .seconds(Int64(seconds.rounded(.up)))
        }
        return refusal
    }
}
