import Domain

/// Gemini's embeddings (ai.google.dev/api/embeddings, "models.batchEmbedContents").
struct GeminiEmbeddings: EmbeddingsTranslator {
    /// The number of texts that one request may have.
    private static let batchTextsMax = 100

    func requests(_ texts: EmbeddedTexts) throws(UntranslatableRequest) -> [EmbeddingRequest] {
        stride(from: 0, to: texts.texts.count, by: Self.batchTextsMax).map { start in
            let batch = texts.texts[start..<min(start + Self.batchTextsMax, texts.texts.count)]
            let requests = batch.map { text in
                JSONValue.members([
                    "model": .string("models/" + GeminiFormat.plainName(texts.model)),
                    "content": .members(["parts": .array([.members(["text": .string(text)])])]),
                    "outputDimensionality": texts.dimensions,
                ])
            }
            return EmbeddingRequest(
                path: GeminiFormat.path(model: texts.model, operation: "batchEmbedContents"),
                body: .members(["requests": .array(requests)]), count: batch.count)
        }
    }

    func embeddings(_ reply: EmbeddingReply, to request: EmbeddingRequest) throws(UnreadableAnswer) -> Embeddings {
        let vectors = (reply.document["embeddings"]?.elements ?? []).compactMap { $0["values"] }
        return try Embeddings(
            vectors, of: request, tokens: reply.document["usageMetadata"]?["promptTokenCount"]?.unsigned)
    }
}
