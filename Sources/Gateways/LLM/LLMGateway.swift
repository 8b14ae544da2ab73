package import Domain
import Governance
package import Logging
package import Outbound
package import Projections
package import Secrets

/// Brings calls in OpenAI's formats or Anthropic's to the provider that lists their model, with the provider's
/// credentials, which the agent never sees, and in the provider's format; the answer comes back in the caller's, as it
/// comes.
package struct LLMGateway: Sendable {
    /// Marks calls that have been here (RFC 9110, section 7.6.3), so that an endpoint that leads back here is found out.
    static let via = "1.1 sluice-\(String(UInt64.random(in: 0...UInt64.max), radix: 36))"

    private static let directoriesMax = 100

    /// Names the provider that answered.
    static let providerHeader = "sluice-provider"

    let projections: Projections
    private let directories: DocumentCache<WorkspaceName, ModelDirectory>
    let meter: ModelMeter
    let journal: ModelJournal
    let credentials: CredentialStore
    let client: OutboundClient
    let configuration: LLMConfiguration
    let places: CallPool
    /// Calls of tools and models that controls end.
    let inFlight: CallsInFlight
    let rates = RequestRates()
    let responses: StoredResponses
    let now: @Sendable () -> Timestamp
    let logger: Logger

    package init(
        projections: Projections, meter: ModelMeter, vault: SecretVault, credentials: CredentialStore,
        client: OutboundClient, configuration: LLMConfiguration, responses: StoredResponses, inFlight: CallsInFlight,
        now: @escaping @Sendable () -> Timestamp, logger: Logger
    ) {
        self.projections = projections
        directories = DocumentCache(projections, countMax: Self.directoriesMax)
        self.meter = meter
        journal = ModelJournal(
            commands: meter.commands, projections: projections, vault: vault,
            answerBytesMax: configuration.journaledAnswerBytesMax, logger: logger)
        self.credentials = credentials
        self.client = client
        self.configuration = configuration
        self.responses = responses
        self.inFlight = inFlight
        places = CallPool(ShareRule(total: configuration.callsMax, percent: configuration.agentSharePercent))
        self.now = now
        self.logger = logger
    }

    /// Answers a call with the model's answer, or with why there is none.
    ///
    /// - Throws: `ProjectionError` when the providers or budgets cannot be looked up at the moment; `CommandError` when the
    ///   writer takes nothing: what cannot be recorded is not made.
    package func answer(_ request: LLMRequest) async throws -> EgressAnswer {
        request.errorForm.applied(to: try await route(request))
    }

    private func route(_ request: LLMRequest) async throws -> EgressAnswer {
        let place: CallPool.Permit
        do throws(ShareRefusal) {
            let caller = request.caller
            place = try places.take(for: CallHolder(caller.agent, in: request.workspace, caller.actor))
        } catch {
            return .tooManyCalls(error, of: "models")
        }
        guard !request.headers.contains(where: { $0.name.lowercased() == "via" && $0.value.contains(Self.via) }) else {
            return ModelCallFailure.provider(
                "the provider's endpoint leads back to Sluice itself: store it with the model's address"
            ).answer
        }
        let run = meter.run(of: request.caller, request.workspace)
        let subject = CallsInFlight.Subject(
            workspace: request.workspace, agent: request.caller.agent ?? run?.agentID, run: run?.id)
        let call = inFlight.begin(subject)
        // A model continues, and its tokens are billed, until its connection is closed.
        let departure = request.caller.presence.onLeave { call.end.come(.callerLeft) }
        return try await call.answering { try await answer(request, for: run, place) }.holding(departure)
    }

    private func answer(
        _ request: LLMRequest, for run: CallingRun?, _ place: CallPool.Permit
    ) async throws -> EgressAnswer {
        if let refusal = meter.refusal(of: request, for: run) { return refusal.answer }
        if let stream = request.document["stream"]?.present, stream.boolean == nil {
            return .refusal(400, "REQUEST_UNSUPPORTED", "stream must be true or false")
        }
        if request.operation == .countTokens { return try await countTokens(of: request).holding(place) }
        let journaled: JournaledCall?
        switch try await begin(request, of: run) {
        case .replayed(let answer):
            return try await keeping(replayed: answer, to: request, of: run).holding(place)
        case .refused(let answer): return answer.holding(place)
        case .asked(let call): journaled = call
        }
        if let run, let refusal = try await meter.endAtLimit(run, request, journaled?.identity) { return refusal }
        let directory = try await self.directory(of: request.workspace)
        guard let first = directory.route(request.model, named: request.provider) else {
            return .refusal(404, "MODEL_UNKNOWN", directory.reason(against: request.model))
        }
        return try await ask(candidates(first, directory.providers), request, of: run, journaled, place)
    }

    private func begin(_ request: LLMRequest, of run: CallingRun?) async throws -> ModelJournal.Beginning {
        let isJournaled = configuration.journalsAnswers ? try meter.isJournaled(request) : false
        return try await journal.begin(request, of: run, isJournaled: isJournaled)
    }

    /// The providers and aliases as every acknowledged change has left them.
    func directory(of workspace: WorkspaceName) async throws -> ModelDirectory {
        try await directories.value(of: workspace) { try await ModelDirectory(in: workspace, from: projections) }
    }

    /// The provider, and those that stand in for it.
    private func candidates(
        _ first: ModelDirectory.Route, _ providers: [ModelProvider]
    ) -> [ModelDirectory.Route] {
        let standIns = first.provider.fallbacks.prefix(configuration.fallbacksMax)
        let fallbacks = standIns.compactMap { fallback -> ModelDirectory.Route? in
            let provider = providers.first { $0.name == fallback.provider }
            guard let provider, provider.name != first.provider.name else { return nil }
            return ModelDirectory.Route(provider: provider, model: fallback.model ?? first.model)
        }
        return [first] + fallbacks
    }

    /// Asks one after the other, until one answers or it is the request that is wrong.
    private func ask(
        _ routes: [ModelDirectory.Route], _ request: LLMRequest, of run: CallingRun?, _ journaled: JournaledCall?,
        _ place: CallPool.Permit
    ) async throws -> EgressAnswer {
        // The first provider is the one that was asked for: what the others lack is no answer to the caller.
        var failure: ModelCallFailure?
        for route in routes {
            let call: ProviderCall
            do throws(ModelCallFailure) {
                let own = try resolved(request, for: route.provider, of: run)
                call = ProviderCall(provider: route.provider, model: route.model, request: own)
            } catch {
                // A fallback that cannot get what the request refers to cannot stand in.
                guard failure != nil else { return error.answer }
                continue
            }
            var metered = meter.call(call.request, of: run, to: call.provider, as: call.model)
            if let refusal = try await meter.admit(&metered) {
                if failure != nil { continue }
                return refusal
            }
            let start = ContinuousClock.now
            var metadata: Logger.Metadata = ["provider": "\(call.provider.name)", "model": "\(call.model.excerpt)"]
            func log(_ level: Logger.Level, _ name: String, _ value: String) {
                metadata[name] = "\(value)"
                metadata["milliseconds"] = "\(Int64(start.duration(to: .now) / .milliseconds(1)))"
                logger.log(level: level, "a model was called", metadata: metadata)
            }
            do throws(ModelCallFailure) {
                let given = try await ask(call)
                log(.info, "status", "\(given.answer.status)")
                let answer = keeping(
                    given.answer.with((Self.providerHeader, call.provider.name)), to: call.request, of: run,
                    at: call.provider.servesResponses ? call.provider.name : nil)
                return await meter.metered(
                    answer, of: metered, since: start, report: given.report, journaled: journaled
                ).holding(place)
            } catch {
                log(.warning, "error", error.reason)
                if error.isAnswered {
                    _ = await meter.metered(error.answer, of: metered, since: start, report: AnswerReport())
                } else if error.isSent {
                    await meter.recordFailure(
                        error.reason, of: metered, since: start, usage: error.usage, mayBeBilled: error.mayBeBilled)
                }
                failure = failure ?? error
                guard error.mayFallBack, !Task.isCancelled else { break }
            }
        }
        guard let failure else { preconditionFailure("somebody is asked") }
        return failure.answer
    }

    private func ask(_ call: ProviderCall) async throws(ModelCallFailure) -> ProviderAnswer {
        let provider = call.provider
        try takeRate(of: call)
        guard !provider.passesOn(call.request.operation) else { return try await passOn(call) }
        switch call.request.operation {
        case .embeddings:
            guard let translator = provider.format.embeddings else {
                throw .request(
                    "model provider \"\(provider.name)\" (\(provider.kind.excerpt)) makes no embeddings here")
            }
            return try await embed(call, translator)
        case .chatCompletions: return try await chat(call, .openAI)
        case .messages: return try await chat(call, .anthropic)
        case .countTokens: preconditionFailure("counts of tokens ask no model")
        case .responses: return try await chat(call, .responses(ResponseEcho(of: call.request.document)))
        }
    }

    /// Counts the call for the rate of its provider.
    func takeRate(of call: ProviderCall) throws(ModelCallFailure) {
        let provider = call.provider
        guard let limit = provider.requestsPerMinute,
            let wait = rates.take(key(of: provider, call.request), perMinute: limit, at: now())
        else { return }
        throw .limited(provider.name, limit: limit, seconds: wait)
    }

    private func chat(_ call: ProviderCall, _ dialect: ChatDialect) async throws(ModelCallFailure) -> ProviderAnswer {
        switch call.provider.format.chat {
        case .provider(let translator): try await translate(call, translator, dialect)
        case .local(let model): play(model, try call.chat(dialect), dialect)
        }
    }

    func key(of provider: ModelProvider, _ request: LLMRequest) -> ResourceKey {
        ResourceKey(workspace: request.workspace, kind: .modelProvider, name: provider.name)
    }
}
