import Domain
import Foundation
import Outbound

/// Embeddings of providers with a format of their own, in OpenAI's.
extension LLMGateway {
    func embed(
        _ call: ProviderCall, _ translator: any EmbeddingsTranslator
    ) async throws(ModelCallFailure) -> ProviderAnswer {
        let texts = try Self.texts(call.request.document["input"]?.present)
        let dimensions = call.request.document["dimensions"]?.present
        let found = try await embeddings(
            EmbeddedTexts(model: call.model, texts: texts, dimensions: dimensions), call, translator)
        // Without a count of the provider's the caller gets an estimate, and the record says that it is one.
        let report = AnswerReport(isOfTranslation: true)
        report.note(usage: found.tokens.map { TokenUsage(prompt: $0, completion: 0) })
        let bytes = texts.reduce(UInt64(0)) { $0 + UInt64($1.utf8.count) }
        let tokens = JSONValue.number(found.tokens ?? UsageEstimate.tokens(bytes: bytes))
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
                ]), []), report: report)
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

    private static func texts(_ input: JSONValue?) throws(ModelCallFailure) -> [String] {
        guard let input else { throw .request("input is required") }
        let texts = input.string.map { [$0] } ?? input.strings
        guard !texts.isEmpty, input.string != nil || texts.count == input.elements.count else {
            throw .request("input must be a string or an array of strings for this model's provider")
        }
        return texts
    }

    private func embeddings(
        _ texts: EmbeddedTexts, _ call: ProviderCall, _ translator: any EmbeddingsTranslator
    ) async throws(ModelCallFailure) -> Embeddings {
        let requests: [EmbeddingRequest]
        do throws(UntranslatableRequest) {
            requests = try translator.requests(texts)
        } catch {
            throw .request(error.reason)
        }
        var embeddings = Embeddings()
        for request in requests {
            let response = try await send(
                sending(request.path, request.body, call.provider.format.headers), to: call.provider,
                in: call.request.workspace)
            let reply = EmbeddingReply(try await document(of: response), headers: response.headers)
            do throws(UnreadableAnswer) {
                embeddings.append(try translator.embeddings(reply, to: request))
            } catch {
                throw .provider("the provider's answer cannot be read: \(error.reason)")
            }
        }
        return embeddings
    }
}
