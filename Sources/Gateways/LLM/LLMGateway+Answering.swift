import Domain
import NIOCore
import Outbound

/// The answers of each kind of provider, in the words of whoever asked.
extension LLMGateway {
    /// A provider that speaks our format: the body goes on as it came, and the answer comes back as it comes.
    ///
    /// A stream is asked to tell its usage, also when its caller does not ask for it; the caller does not get it then.
    func passOn(_ call: ProviderCall) async throws(ModelCallFailure) -> ProviderAnswer {
        guard let body = UsageRequest.body(of: call) else {
            return ProviderAnswer(answer: try await passOn(call.body, of: call))
        }
        let answer: EgressAnswer
        do throws(ModelCallFailure) {
            answer = try await passOn(body, of: call)
        } catch {
            guard error.isAboutUsageRequest else { throw error }
            return ProviderAnswer(answer: try await passOn(call.body, of: call))
        }
        return Self.withoutUsage(answer)
    }

    func passOn(_ body: [UInt8], of call: ProviderCall) async throws(ModelCallFailure) -> EgressAnswer {
        let response = try await send(
            Sending(
                path: call.provider.callPath(call.request.operation.rawValue, of: call.model),
                headers: ModelHeaders.ofCall(
                    call.request.headers, defaults: call.provider.format.headers), body: body),
            to: call.provider, in: call.request.workspace)
        return try await answer(response)
    }

    /// The answer without the chunk that tells the usage, which goes to the report.
    private static func withoutUsage(_ answer: EgressAnswer) -> ProviderAnswer {
        guard case .streamed(let stream) = answer.body else { return ProviderAnswer(answer: answer) }
        let report = AnswerReport()
        let filtered = EgressAnswer(
            status: answer.status, headers: answer.headers,
            body: .streamed { write in
                var filter = UsageChunkFilter()
                func pass(_ bytes: [UInt8]) async throws {
                    if let usage = filter.usage { report.note(usage: usage) }
                    if !bytes.isEmpty { try await write(ByteBuffer(bytes: bytes)) }
                }
                try await stream { try await pass(filter.read($0.readableBytesView)) }
                try await pass(filter.finish())
            })
        return ProviderAnswer(answer: filtered, report: report)
    }

    /// The whole answer, when it is a document of moderate length; else as it comes, never more of it in memory than the
    /// agent takes.
    private func answer(_ response: ProviderResponse) async throws(ModelCallFailure) -> EgressAnswer {
        let chunks = response.chunks(silenceMax: configuration.timeout)
        let limit = configuration.answerBytesMax
        let isStream = response.mediaType == "text/event-stream"
        let begun: AnswerChunks.Beginning
        do {
            begun = isStream ? .part([]) : try await chunks.begin(upTo: configuration.wholeAnswerBytesMax)
        } catch {
            throw .brokenAnswer("the answer broke off: \(error)")
        }
        let body: EgressAnswer.Body =
            switch begun {
            case .whole(let bytes): .whole(bytes)
            case .part(let bytes): .streamed { try await chunks.write(after: bytes, upTo: limit, to: $0) }
            }
        return EgressAnswer(
            status: response.status,
            headers: ModelHeaders.ofAnswer(response.headers), body: body)
    }

    /// A provider with a format of its own.
    func translate(
        _ call: ProviderCall, _ translator: any ChatTranslator, _ dialect: ChatDialect
    ) async throws(ModelCallFailure) -> ProviderAnswer {
        let asked = try call.chat(dialect)
        let chat = translator.readsCallSignatures ? asked : asked.withoutCallSignatures
        let body: JSONValue
        let adapted = AdaptedRequest(chat, for: translator)
        do throws(UntranslatableRequest) {
            body = try translator.body(of: adapted.request)
        } catch {
            throw .request(error.reason)
        }
        let response = try await send(body, translator.path(of: chat), translator, call)
        let headers = ModelHeaders.ofTranslatedAnswer(response.headers)
        let identity = identity(chat, dialect)
        guard !chat.isStreamed else {
            return stream(
                response, translator, adapted, dialect.writer(identity, includesUsage: chat.includesUsage), headers)
        }
        let document = try await document(of: response)
        do throws(UnreadableAnswer) {
            let answer = adapted.answer(try translator.answer(document, to: adapted.request))
            let report = AnswerReport(isOfTranslation: true)
            report.note(usage: answer.usage)
            return ProviderAnswer(answer: .json(dialect.answer(answer, identity), headers), report: report)
        } catch {
            throw .unreadable(ProviderWords.unreadable(document, error))
        }
    }

    /// Sends a translated request; without the request for the usage of a stream to a provider that refuses it.
    private func send(
        _ body: JSONValue, _ path: String, _ translator: any ChatTranslator, _ call: ProviderCall
    ) async throws(ModelCallFailure) -> ProviderResponse {
        let path = call.provider.callPath(path, of: call.model)
        do throws(ModelCallFailure) {
            return try await send(
                sending(path, body, translator.headers), to: call.provider, in: call.request.workspace)
        } catch {
            guard error.isAboutUsageRequest, let body = UsageRequest.removed(from: body) else { throw error }
            return try await send(
                sending(path, body, translator.headers), to: call.provider, in: call.request.workspace)
        }
    }

    func sending(_ path: String, _ body: JSONValue, _ headers: [(name: String, value: String)]) -> Sending {
        Sending(
            path: path, headers: headers + [("content-type", "application/json")], body: Array(body.text.text.utf8),
            isTranslated: true)
    }

    func document(of response: ProviderResponse) async throws(ModelCallFailure) -> JSONValue {
        let chunks = response.chunks(silenceMax: configuration.timeout)
        do {
            guard case .whole(let bytes) = try await chunks.begin(upTo: configuration.translatedBytesMax) else {
                throw ModelCallFailure.brokenAnswer(
                    "the provider's answer is larger than \(configuration.translatedBytesMax) bytes")
            }
            return try JSONValue(parsing: bytes, .surrogates)
        } catch let error as ModelCallFailure {
            throw error
        } catch {
            throw .brokenAnswer("the provider's answer cannot be read: \(error)")
        }
    }

    private func identity(
        _ chat: ChatRequest, _ dialect: ChatDialect, fingerprint: String? = nil
    ) -> CompletionIdentity {
        CompletionIdentity(
            id: dialect.idPrefix + String(UInt64.random(in: 0...UInt64.max), radix: 36), model: chat.model,
            created: now().microseconds / 1_000_000, fingerprint: fingerprint)
    }

    /// The stream, part by part, never more of it in memory than one event. What goes wrong after its beginning is said
    /// within it.
    private func stream(
        _ response: ProviderResponse, _ translator: any ChatTranslator, _ adapted: AdaptedRequest,
        _ writer: any ChatStreamWriter, _ headers: [(name: String, value: String)]
    ) -> ProviderAnswer {
        let report = AnswerReport(isOfTranslation: true)
        let source = response.chunks(silenceMax: configuration.timeout)
        let (limit, heartbeat) = (configuration.answerBytesMax, configuration.heartbeat)
        let reader = AnswerStream(translator, to: adapted.request, bytesMax: configuration.translatedBytesMax)
        let answer = EgressAnswer(
            status: 200, headers: headers + [("content-type", "text/event-stream"), ("cache-control", "no-cache")],
            body: .streamed { write in
                var (stream, chunks, json, adapted) = (reader, writer, JSONAnswerDeltas(), adapted)
                var bytes: [UInt8] = []
                var isWriting = false
                func put(_ deltas: [ChatDelta]) {
                    for delta in deltas.compactMap({ json.read($0) }).flatMap({ adapted.read($0) }) {
                        chunks.write(delta, to: &bytes)
                    }
                }
                func read(_ buffer: ByteBuffer) throws(BrokenStream) {
                    var deltas: [ChatDelta] = []
                    defer { put(deltas) }
                    try stream.read(Array(buffer.readableBytesView), into: &deltas)
                }
                func finish() throws(BrokenStream) {
                    var deltas: [ChatDelta] = []
                    defer { put(deltas) }
                    try stream.finish(into: &deltas)
                    guard stream.isComplete else { throw BrokenStream("it ended early") }
                }
                func pass() async throws {
                    guard !bytes.isEmpty else { return }
                    isWriting = true
                    try await write(ByteBuffer(bytes: bytes))
                    isWriting = false
                    bytes.removeAll(keepingCapacity: true)
                }
                defer { report.note(usage: chunks.usage) }
                func fail(_ reason: String) {
                    let reason = "the provider's stream broke off: \(reason)"
                    report.note(failure: reason)
                    chunks.fail(reason, to: &bytes)
                }
                do {
                    try await source.write(after: [], upTo: limit, heartbeat: heartbeat) {
                        chunks.ping(to: &bytes)
                        try await pass()
                    } to: { buffer in
                        try read(buffer)
                        try await pass()
                    }
                    try finish()
                    chunks.end(to: &bytes)
                } catch let error as BrokenStream {
                    fail(error.reason)
                } catch {
                    // Whoever asked has gone, or the daemon stops: there is nobody to tell.
                    guard !isWriting, !(error is CancellationError) else { throw error }
                    fail("\(error)")
                }
                try await write(ByteBuffer(bytes: bytes))
            })
        return ProviderAnswer(answer: answer, report: report)
    }

    /// The answer of a model that is part of Sluice.
    func play(_ model: any LocalModel, _ chat: ChatRequest, _ dialect: ChatDialect) -> ProviderAnswer {
        ProviderAnswer(answer: played(model, chat, dialect))
    }

    private func played(_ model: any LocalModel, _ chat: ChatRequest, _ dialect: ChatDialect) -> EgressAnswer {
        let answer = model.answer(chat)
        let identity = identity(chat, dialect, fingerprint: model.fingerprint)
        guard chat.isStreamed else { return .json(dialect.answer(answer, identity), []) }
        let includesUsage = chat.includesUsage
        return EgressAnswer(
            status: 200, headers: [("content-type", "text/event-stream"), ("cache-control", "no-cache")],
            body: .streamed { write in
                var chunks = dialect.writer(identity, includesUsage: includesUsage)
                for delta in model.deltas(answer) {
                    var bytes: [UInt8] = []
                    chunks.write(delta, to: &bytes)
                    if !bytes.isEmpty { try await write(ByteBuffer(bytes: bytes)) }
                }
                var bytes: [UInt8] = []
                chunks.end(to: &bytes)
                try await write(ByteBuffer(bytes: bytes))
            })
    }
}

extension EgressAnswer {
    static func json(_ document: JSONValue, _ headers: [(name: String, value: String)]) -> EgressAnswer {
        EgressAnswer(
            status: 200, headers: headers + [("content-type", "application/json")],
            body: .whole(Array(document.text.text.utf8)))
    }

    func with(_ header: (name: String, value: String)) -> EgressAnswer {
        EgressAnswer(status: status, headers: headers + [header], body: body)
    }
}
