import Domain
import Foundation
import Outbound

/// Embeddings of providers with a format of their own, in OpenAI's.
extension LLMGateway {
    func embed(
        _ call: ProviderCall, _ translator: any EmbeddingsTranslator
    ) async throws(ModelCallFailure) -> ProviderAnswer {
        let isBase64 = try Self.isBase64(call.request.document["encoding_format"]?.present)
        let texts = try Self.texts(call.request.document["input"]?.present)
        let dimensions = call.request.document["dimensions"]?.present
        let found = try await embeddings(
            EmbeddedTexts(model: call.model, texts: texts, dimensions: dimensions), call, translator)
        // Without a count of the provider's the caller gets an estimate, and the record says that it is one.
        let report = AnswerReport(isOfTranslation: true)
        report.note(usage: found.tokens.map { TokenUsage(prompt: $0, completion: 0) })
        let bytes = texts.reduce(UInt64(0)) { $0 + UInt64($1.utf8.count) }
        let tokens = JSONValue.number(found.tokens ?? UsageEstimate.tokens(bytes: bytes))
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

    private static func isBase64(_ format: JSONValue?) throws(ModelCallFailure) -> Bool {
        switch format {
        case nil, .string("float")?: return false
        case .string("base64")?: return true
        default: throw .request("encoding_format must be \"float\" or \"base64\" for this model's provider")
        }
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
            do throws(ModelCallFailure) {
                embeddings.append(try await answer(to: request, call, translator))
            } catch {
                throw error.after(embeddings)
            }
        }
        return embeddings
    }

    private func answer(
        to request: EmbeddingRequest, _ call: ProviderCall, _ translator: any EmbeddingsTranslator
    ) async throws(ModelCallFailure) -> Embeddings {
        let response = try await send(
            sending(request.path, request.body, call.provider.format.headers), to: call.provider,
            in: call.request.workspace)
        let document = try await document(of: response)
        do throws(UnreadableAnswer) {
            return try translator.embeddings(EmbeddingReply(document, headers: response.headers), to: request)
        } catch {
            throw .unreadable(ProviderWords.unreadable(document, error))
        }
    }
}

extension ModelCallFailure {
    /// The failure of one of several requests, of which those before are billed.
    ///
    /// - Parameter earlier: The answers to the requests before.
    fileprivate func after(_ earlier: Embeddings) -> Self {
        guard !earlier.vectors.isEmpty else { return self }
        var failure = self
        // Recorded as a failure with what is billed, not as the answer that the provider gave to this request.
        (failure.isAnswered, failure.isSent, failure.mayBeBilled) = (false, true, true)
        // Without one of the counts the whole prompt is estimated.
        let own = mayBeBilled ? usage?.prompt : 0
        failure.usage = earlier.tokens.flatMap { told in own.map { TokenUsage(prompt: told &+ $0, completion: 0) } }
        return failure
    }
}
