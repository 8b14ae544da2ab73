import Domain

/// Embeddings by InvokeModel of Cohere's and Amazon's models (AWS's user guide of Bedrock, "Inference request
/// parameters": "Cohere Embed", "Amazon Titan Text Embeddings").
struct BedrockEmbeddings: EmbeddingsTranslator {
    /// The number of texts that are sent one by one to a model that accepts one at a time.
    private static let singleTextsMax = 128

    func requests(_ texts: EmbeddedTexts) throws(UntranslatableRequest) -> [EmbeddingRequest] {
        let path = BedrockFormat.path(model: texts.model, operation: "invoke")
        guard !texts.model.contains("cohere.") else {
            let body = JSONValue.members([
                "texts": .array(texts.texts.map { .string($0) }), "input_type": .string("search_document"),
            ])
            return [EmbeddingRequest(path: path, body: body, count: texts.texts.count)]
        }
        guard texts.texts.count <= Self.singleTextsMax else {
            throw UntranslatableRequest(
                "input must have at most \(Self.singleTextsMax) texts for this model: send them in several calls")
        }
        return texts.texts.map { text in
            EmbeddingRequest(
                path: path, body: .members(["inputText": .string(text), "dimensions": texts.dimensions]), count: 1)
        }
    }

    func embeddings(_ reply: EmbeddingReply, to request: EmbeddingRequest) throws(UnreadableAnswer) -> Embeddings {
        let document = reply.document
        let told = reply.header("x-amzn-bedrock-input-token-count").flatMap { UInt64($0) }
        guard request.body["texts"] == nil else {
            let vectors = document["embeddings"]?["float"] ?? document["embeddings"]
            return try Embeddings(vectors.elements, of: request, tokens: told)
        }
        let vectors = [document["embedding"]].compactMap { $0?.present }
        return try Embeddings(vectors, of: request, tokens: document["inputTextTokenCount"]?.unsigned ?? told)
    }
}
