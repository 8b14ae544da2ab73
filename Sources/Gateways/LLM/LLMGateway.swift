package import AsyncHTTPClient
import Domain
import Governance
package import Logging
import NIOCore
import NIOHTTP1
package import Projections

/// Brings calls in OpenAI's format to the provider that lists their model, with the provider's credentials, which the
/// agent never sees. The body goes on unchanged, and the answer comes back as it comes.
package struct LLMGateway: Sendable {
    /// Marks calls that have been here (RFC 9110, section 7.6.3), so that an endpoint that leads back here is found out.
    static let via = "1.1 sluice-\(String(UInt64.random(in: 0...UInt64.max), radix: 36))"

    let projections: Projections
    let meter: ModelMeter
    let credentials: CredentialStore
    let clients: EgressClients
    let configuration: LLMConfiguration
    let places: CallPlaces
    let logger: Logger

    /// - Parameter clients: should give up on an answer that does not go on for `configuration.timeout`.
    package init(
        projections: Projections, meter: ModelMeter, credentials: CredentialStore, clients: EgressClients,
        configuration: LLMConfiguration, logger: Logger
    ) {
        self.projections = projections
        self.meter = meter
        self.credentials = credentials
        self.clients = clients
        self.configuration = configuration
        places = CallPlaces(max: configuration.callsMax)
        self.logger = logger
    }

    /// Answers a call with the model's answer, or with why there is none.
    ///
    /// - Throws: `ProjectionError` when the providers cannot be looked up at the moment.
    package func answer(_ request: LLMRequest) async throws -> EgressAnswer {
        guard let place = places.take() else {
            return .refusal(429, "TOO_MANY_CALLS", "too many calls of models are on their way; try again in a moment")
        }
        guard !request.headers.contains(where: { $0.name.lowercased() == "via" && $0.value.contains(Self.via) }) else {
            return Self.failed("the provider's endpoint leads back to Sluice itself: store it with the model's address")
        }
        let providers = try await projections.resources(.modelProvider, in: request.workspace).map {
            ModelProvider(name: $0.name, document: $0.document.value)
        }
        guard let provider = ModelProvider.choice(for: request.model, named: request.provider, of: providers) else {
            return .refusal(404, "MODEL_UNKNOWN", "no provider found for model \"\(request.model.excerpt)\"")
        }
        guard provider.speaksOpenAI else {
            return .refusal(
                400, "PROVIDER_UNSUPPORTED",
                "model provider \"\(provider.name)\" is of kind \(provider.kind.excerpt), which the gateway does not speak "
                    + "yet; an endpoint in OpenAI's format can be stored with spec.provider openai")
        }
        let call = meter.call(request, to: provider)
        if let refusal = try await meter.admit(call) { return refusal }
        return await ask(provider, request, call, place)
    }

    private func ask(
        _ provider: ModelProvider, _ request: LLMRequest, _ call: ModelCall, _ place: CallPlaces.Place
    ) async -> EgressAnswer {
        let start = ContinuousClock.now
        let result = await send(to: provider, request)
        let level: Logger.Level = if case .failure = result { .warning } else { .info }
        var metadata: Logger.Metadata = [
            "provider": "\(provider.name)", "model": "\(request.model.excerpt)",
            "milliseconds": "\(Int64(start.duration(to: .now) / .milliseconds(1)))",
        ]
        switch result {
        case .success(let response): metadata["status"] = "\(response.status.code)"
        case .failure(let failure): metadata["error"] = "\(failure.reason)"
        }
        logger.log(level: level, "a model was called", metadata: metadata)
        switch result {
        case .success(let response):
            do throws(Failure) {
                return await meter.metered(try await answer(response), of: call, since: start).holding(place)
            } catch {
                await meter.recordFailure(error.reason, of: call, since: start)
                return Self.failed(error.reason)
            }
        case .failure(let failure):
            await meter.recordFailure(failure.reason, of: call, since: start)
            return Self.failed(failure.reason)
        }
    }

    /// The whole answer, when it is a document of moderate length; else as it comes, never more of it in memory than the
    /// agent takes.
    private func answer(_ response: HTTPClientResponse) async throws(Failure) -> EgressAnswer {
        let chunks = AnswerChunks(response.body, silenceMax: configuration.timeout)
        let limit = configuration.answerBytesMax
        let isStream = response.headers.first(name: "content-type")?.hasPrefix("text/event-stream") == true
        let begun: AnswerChunks.Beginning
        do {
            begun = isStream ? .part([]) : try await chunks.begin(upTo: configuration.wholeAnswerBytesMax)
        } catch {
            throw Failure(reason: "the answer broke off: \(error)")
        }
        let body: EgressAnswer.Body =
            switch begun {
            case .whole(let bytes): .whole(bytes)
            case .part(let bytes): .streamed { try await chunks.write(after: bytes, upTo: limit, to: $0) }
            }
        return EgressAnswer(
            status: Int(response.status.code),
            headers: ModelHeaders.ofAnswer(response.headers.map { ($0.name, $0.value) }), body: body)
    }

    static func failed(_ reason: String) -> EgressAnswer {
        .refusal(
            502, "PROVIDER_FAILED", "provider request failed", [.init(name: "detail", value: .string(reason))])
    }
}
