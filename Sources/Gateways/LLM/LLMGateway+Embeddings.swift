import Domain

extension LLMGateway {
    /// Embeddings of Ollama (docs/api.md, "Generate Embeddings"), in OpenAI's format.
    func embed(_ call: ProviderCall) async throws(ModelCallFailure) -> ProviderAnswer {
        guard let input = call.request.document["input"]?.present else { throw .request("input is required") }
        let isText = input.string != nil || input.elements.allSatisfy { $0.string != nil }
        guard isText, input.string != nil || !input.elements.isEmpty else {
            throw .request("input must be a string or an array of strings for this model's provider")
        }
        let body = JSONValue.members([
            "model": .string(call.model), "input": input, "dimensions": call.request.document["dimensions"]?.present,
        ])
        let response = try await send(
            sending("api/embed", body, []), to: call.provider, in: call.request.workspace)
        let document = try await document(of: response)
        guard case .array(let vectors)? = document["embeddings"] else {
            throw .provider("the provider's answer cannot be read: it has no embeddings")
        }
        let tokens = JSONValue.number(document["prompt_eval_count"]?.unsigned ?? 0)
        let data = vectors.enumerated().map { index, vector in
            JSONValue.members([
                "object": .string("embedding"), "index": .number(String(index)), "embedding": vector,
            ])
        }
        return ProviderAnswer(
            answer: .json(
                .members([
                    "object": .string("list"), "data": .array(data), "model": .string(call.model),
                    "usage": .members(["prompt_tokens": tokens, "total_tokens": tokens]),
                ]), []))
    }
}
