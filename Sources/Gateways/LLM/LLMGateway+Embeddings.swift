import Domain
import Foundation
import Outbound

/// Embeddings of providers with a format of their own, in OpenAI's.
extension LLMGateway {
    /// How many texts go one by one to a model that takes no more than one at a time.
    private static let singleTextsMax = 128

    func embed(_ call: ProviderCall) async throws(ModelCallFailure) -> ProviderAnswer {
        let texts = try Self.texts(call.request.document["input"]?.present)
        let dimensions = call.request.document["dimensions"]?.present
        let found =
            switch call.provider.format {
            case .bedrock: try await embedByBedrock(texts, dimensions, call)
            case .ollama, .openAI, .anthropic, .playground: try await embedByOllama(texts, dimensions, call)
            }
        let tokens = JSONValue.number(found.tokens)
        let isBase64 = call.request.document["encoding_format"]?.string == "base64"
        let data = found.vectors.enumerated().map { index, vector in
            JSONValue.members([
                "object": .string("embedding"), "index": .number(String(index)),
                "embedding": isBase64 ? Self.base64(vector) : vector,
            ])
        }
        return ProviderAnswer(
            answer: .json(
                .members([
                    "object": .string("list"), "data": .array(data), "model": .string(call.model),
                    "usage": .members(["prompt_tokens": tokens, "total_tokens": tokens]),
                ]), []))
    }

    /// A vector as OpenAI's format has it in base64: numbers of 32 bits, the lowest byte first.
    private static func base64(_ vector: JSONValue) -> JSONValue {
        var bytes: [UInt8] = []
        for element in vector.elements {
            guard case .number(let text) = element else { return vector }
            withUnsafeBytes(of: (Float(text) ?? 0).bitPattern.littleEndian) { bytes += $0 }
        }
        return .string(Data(bytes).base64EncodedString())
    }

    private struct Embeddings {
        var vectors: [JSONValue] = []
        var tokens: UInt64 = 0
    }

    private static func texts(_ input: JSONValue?) throws(ModelCallFailure) -> [String] {
        guard let input else { throw .request("input is required") }
        let texts = input.string.map { [$0] } ?? input.strings
        guard !texts.isEmpty, input.string != nil || texts.count == input.elements.count else {
            throw .request("input must be a string or an array of strings for this model's provider")
        }
        return texts
    }

    /// Ollama's docs/api.md, "Generate Embeddings".
    private func embedByOllama(
        _ texts: [String], _ dimensions: JSONValue?, _ call: ProviderCall
    ) async throws(ModelCallFailure) -> Embeddings {
        let document = try await embedding(
            "api/embed",
            .members([
                "model": .string(call.model), "input": .array(texts.map { .string($0) }), "dimensions": dimensions,
            ]), call
        ).document
        guard case .array(let vectors)? = document["embeddings"], vectors.count == texts.count else {
            throw .provider("the provider's answer cannot be read: it has no embeddings")
        }
        return Embeddings(vectors: vectors, tokens: document["prompt_eval_count"]?.unsigned ?? 0)
    }

    /// InvokeModel of Cohere's and Amazon's models (AWS's user guide of Bedrock, "Inference request parameters": "Cohere
    /// Embed", "Amazon Titan Text Embeddings"). Amazon's take one text at a time.
    private func embedByBedrock(
        _ texts: [String], _ dimensions: JSONValue?, _ call: ProviderCall
    ) async throws(ModelCallFailure) -> Embeddings {
        let path = BedrockFormat.path(model: call.model, operation: "invoke")
        guard !call.model.contains("cohere.") else {
            let (document, tokens) = try await embedding(
                path,
                .members(["texts": .array(texts.map { .string($0) }), "input_type": .string("search_document")]), call)
            let found = document["embeddings"]?["float"] ?? document["embeddings"]
            guard case .array(let vectors)? = found, vectors.count == texts.count else {
                throw .provider("the provider's answer cannot be read: it has no embeddings")
            }
            return Embeddings(vectors: vectors, tokens: tokens ?? 0)
        }
        guard texts.count <= Self.singleTextsMax else {
            throw .request(
                "input must have at most \(Self.singleTextsMax) texts for this model: send them in several calls")
        }
        var embeddings = Embeddings()
        for text in texts {
            let (document, tokens) = try await embedding(
                path, .members(["inputText": .string(text), "dimensions": dimensions]), call)
            guard let vector = document["embedding"], case .array = vector else {
                throw .provider("the provider's answer cannot be read: it has no embedding")
            }
            embeddings.vectors.append(vector)
            // A provider may count as much as it likes: each text counts as a whole call at most.
            embeddings.tokens += min(
                document["inputTextTokenCount"]?.unsigned ?? tokens ?? 0, TokenUsage.tokensMax)
        }
        return embeddings
    }

    private func embedding(
        _ path: String, _ body: JSONValue, _ call: ProviderCall
    ) async throws(ModelCallFailure) -> (document: JSONValue, tokens: UInt64?) {
        let response = try await send(sending(path, body, []), to: call.provider, in: call.request.workspace)
        let tokens = response.header("x-amzn-bedrock-input-token-count").flatMap { UInt64($0) }
        return (try await document(of: response), tokens)
    }
}
