package import Domain

extension OllamaFormat: ProviderFormat {
    package static var kinds: [String] { ["ollama"] }

    package init(kind: String) { self.init() }

    package func endpoint(region: String?) -> String? { "http://localhost:11434" }

    package var operationPaths: [String] { ["/api/chat", "/api/embed"] }

    package var probe: ProviderProbe { .path("api/tags") }

    package var embeddings: (any EmbeddingsTranslator)? { OllamaEmbeddings() }

    package var pricing: ProviderPricing { .free }
}

/// Ollama's embeddings (github.com/ollama/ollama, docs/api.md, "Generate Embeddings").
struct OllamaEmbeddings: EmbeddingsTranslator {
    func requests(_ texts: EmbeddedTexts) throws(UntranslatableRequest) -> [EmbeddingRequest] {
        let body = JSONValue.members([
            "model": .string(texts.model), "input": .array(texts.texts.map { .string($0) }),
            "dimensions": texts.dimensions,
        ])
        return [EmbeddingRequest(path: "api/embed", body: body, count: texts.texts.count)]
    }

    func embeddings(_ reply: EmbeddingReply, to request: EmbeddingRequest) throws(UnreadableAnswer) -> Embeddings {
        try Embeddings(
            reply.document["embeddings"].elements, of: request, tokens: reply.document["prompt_eval_count"]?.unsigned)
    }
}
