package import Domain
import NIOCore

/// Responses that later requests refer to by `previous_response_id` or by items.
extension LLMGateway {
    /// The request with its references resolved for the provider.
    func resolved(
        _ request: LLMRequest, for provider: ModelProvider, of run: CallingRun?
    ) throws(ModelCallFailure) -> LLMRequest {
        guard request.operation == .responses else { return request }
        let references = ResponseReferences(responses, of: ResponseOwner(of: request, for: run))
        do throws(UntranslatableRequest) {
            return request.resolving(
                try references.resolved(request.document, for: provider.name, keeps: provider.servesResponses))
        } catch {
            throw .request(error.reason)
        }
    }

    /// The answer, whose response is kept once all of it has passed, unless the request says `store: false`.
    ///
    /// - Parameter provider: The one that answers, when it keeps the response itself.
    func keeping(
        _ answer: EgressAnswer, to request: LLMRequest, of run: CallingRun?, at provider: String?
    ) -> EgressAnswer {
        guard request.operation == .responses, answer.status == 200, request.document["store"] != .bool(false) else {
            return answer
        }
        let owner = ResponseOwner(of: request, for: run)
        let responses = responses
        let (document, earlier) = (request.document, request.earlier)
        @Sendable func keep(_ reader: inout ResponseReader) {
            guard let response = reader.takeResponse(),
                let stored = StoredResponse(response, to: document, after: earlier, of: owner, at: provider)
            else { return }
            responses.keep(stored)
        }
        var reader = ResponseReader(isEvents: answer.isEventStream, bytesMax: responses.responseBytesMax)
        switch answer.body {
        case .whole(let bytes):
            reader.read(bytes)
            reader.end()
            keep(&reader)
            return answer
        case .streamed(let stream):
            let fresh = reader
            return EgressAnswer(
                status: answer.status, headers: answer.headers,
                body: .streamed { write in
                    var reader = fresh
                    try await stream { part in
                        reader.read(part.readableBytesView)
                        // A client may refer to the response as soon as it has its last event.
                        keep(&reader)
                        try await write(part)
                    }
                    reader.end()
                    keep(&reader)
                })
        }
    }
}

extension LLMGateway {
    /// Keeps the response of a recorded answer too: later calls of the run may refer to it, also after a restart.
    func keeping(
        replayed answer: EgressAnswer, to request: LLMRequest, of run: CallingRun?
    ) async throws -> EgressAnswer {
        guard request.operation == .responses,
            let name = answer.headers.first(where: { $0.name == Self.providerHeader }),
            let provider = try await directory(of: request.workspace).providers
                .first(where: { $0.name == name.value })
        else { return answer }
        do throws(ModelCallFailure) {
            let own = try resolved(request, for: provider, of: run)
            return keeping(answer, to: own, of: run, at: provider.servesResponses ? provider.name : nil)
        } catch {
            // It refers to a response that is gone: the recorded answer is the run's all the same.
            return answer
        }
    }
}

extension StoredResponse {
    /// - Parameters:
    ///   - document: The request, with its references resolved.
    ///   - earlier: The turns that the provider keeps, to which the request refers.
    package init?(
        _ response: JSONValue, to document: JSONValue, after earlier: EarlierTurns = EarlierTurns(),
        of owner: ResponseOwner, at provider: String?
    ) {
        guard let id = response["id"]?.string, !id.isEmpty else { return nil }
        let output = response["output"]?.elements ?? []
        guard provider == nil else {
            self.init(
                id: id, owner: owner, provider: provider, items: [],
                turns: EarlierTurns(response, to: document, after: earlier),
                output: EarlierTurns(outputOf: response),
                itemIDs: output.compactMap { $0["id"]?.string }.map { ($0, nil) })
            return
        }
        let input = ResponseReferences.items(of: document["input"])
        self.init(
            id: id, owner: owner, provider: nil, items: (input + output).map { Array($0.text.text.utf8) },
            turns: EarlierTurns(), output: EarlierTurns(),
            itemIDs: output.enumerated().compactMap { index, item in
                item["id"]?.string.map { ($0, input.count + index) }
            })
    }
}
