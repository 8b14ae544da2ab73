import Domain
import Governance
import Outbound

extension LLMGateway {
    /// What is sent to a provider, before its credentials.
    struct Sending: Sendable {
        var method = "POST"
        let path: String
        let headers: [(name: String, value: String)]
        let body: [UInt8]
        /// Whether the answer is for us to put in other words; else it is passed on.
        var isTranslated = false
    }

    /// Sends the call with the provider's credentials: once more when these were stale, and when the provider has not
    /// taken it for certain.
    ///
    /// - Returns: an answer of success.
    func send(
        _ sending: Sending, to provider: ModelProvider, in workspace: WorkspaceName
    ) async throws(ModelCallFailure) -> ProviderResponse {
        for _ in 1..<configuration.attemptsMax {
            do throws(ModelCallFailure) {
                return try await sendOnce(sending, provider, workspace)
            } catch {
                let pause = error.retryAfter ?? configuration.attemptPause
                guard error.mayRepeat, pause <= configuration.retryAfterMax else { throw error }
                do { try await Task.sleep(for: pause) } catch { throw .provider("whoever asked has gone") }
            }
        }
        return try await sendOnce(sending, provider, workspace)
    }

    private func sendOnce(
        _ sending: Sending, _ provider: ModelProvider, _ workspace: WorkspaceName
    ) async throws(ModelCallFailure) -> ProviderResponse {
        let owner = ResourceKey(workspace: workspace, kind: .modelProvider, name: provider.name)
        let bare: OutgoingCall
        let url: NormalizedURL
        let injector: any CredentialInjector
        var sent: OutgoingCall
        do {
            url = try provider.url(sending.path)
            bare = OutgoingCall(
                method: sending.method, url: url.text,
                headers: sending.headers + [("via", Self.via), ("accept-encoding", "identity")], body: sending.body)
            injector = try credentials.injector(
                for: owner, authentication: provider.authentication,
                isInternal: provider.isInternal)
            sent = try await injector.apply(to: bare)
        } catch let error as UnusableEndpoint {
            throw .provider(error.reason)
        } catch {
            throw .provider("\(error)")
        }
        var response = try await execute(sent, url, provider)
        if response.status == 401, injector.mayRenew(after: sent) {
            do { sent = try await injector.apply(to: bare) } catch { throw .provider("\(error)") }
            response = try await execute(sent, url, provider)
        }
        let answered = ProviderResponse(response, Redactor(injector, bare: bare, sent: sent))
        if let reason = answered.unsearchable { throw .provider("the provider's answer cannot be read: \(reason)") }
        guard let failure = await failure(answered, provider, sending.isTranslated) else { return answered }
        throw failure
    }

    private func execute(
        _ call: OutgoingCall, _ url: NormalizedURL, _ provider: ModelProvider
    ) async throws(ModelCallFailure) -> OutboundResponse {
        do throws(OutboundError) {
            return try await client.execute(
                OutboundRequest(
                    call.method, call.url, headers: call.headers, body: call.body.isEmpty ? nil : call.body,
                    addresses: AddressPolicy(isInternal: provider.isInternal),
                    limits: OutboundLimits(
                        headTimeout: configuration.timeout, totalTimeout: OutboundLimits.streamTimeout,
                        bodyBytesMax: configuration.answerBytesMax)))
        } catch {
            if case .addressRefused(let refusal) = error {
                throw .provider(refusal.reason(allowing: "the model provider with spec.topology"))
            }
            guard error.isNeverSent else { throw .provider("the provider did not answer: \(error)") }
            throw .provider("the provider cannot be reached: \(error)", mayRepeat: true)
        }
    }

    /// What an answer without success means: what is wrong between Sluice and the provider is the operator's to see to,
    /// what the provider says of the request is the agent's to read.
    private func failure(
        _ response: ProviderResponse, _ provider: ModelProvider, _ isTranslated: Bool
    ) async -> ModelCallFailure? {
        let status = response.status
        let retryAfter = response.header("retry-after").flatMap { Int64($0) }.map { Duration.seconds($0) }
        switch status {
        case 200...299: return nil
        case 300...399:
            return .provider("the provider answered with a redirect (\(status)), which is not followed")
        case 401, 403, 407:
            return .provider("the provider refuses the credentials (\(status)): set the model provider's again")
        case 400...499:
            let answer = await refusal(response, provider, isTranslated)
            var failure = ModelCallFailure(reason: "the provider refuses the request (\(status))", answer: answer)
            failure.isAnswered = true
            failure.mayFallBack = status == 429
            failure.mayRepeat = status == 429
            failure.retryAfter = retryAfter
            return failure
        case 502, 503, 529:
            return .provider("the provider answered with status \(status)", mayRepeat: true, retryAfter: retryAfter)
        default: return .provider("the provider answered with status \(status)")
        }
    }

    /// The provider's own words about the request, without what it may not say: in OpenAI's format, or as they came.
    private func refusal(
        _ response: ProviderResponse, _ provider: ModelProvider, _ isTranslated: Bool
    ) async -> EgressAnswer {
        let status = response.status
        let chunks = response.chunks(silenceMax: configuration.timeout)
        var body: [UInt8]?
        if case .whole(let bytes)? = try? await chunks.begin(upTo: configuration.errorBytesMax) { body = bytes }
        let headers = ModelHeaders.ofAnswer(response.headers)
        if !isTranslated, let body {
            return EgressAnswer(status: status, headers: headers, body: .whole(body))
        }
        let document = body.flatMap { try? JSONValue(parsing: $0) }
        let message = document.flatMap { provider.translator?.errorMessage($0) }
        let shown = ModelErrors.document(
            response.redactor.redact(message ?? "the provider refuses the request with status \(status)"),
            type: ModelErrors.type(ofStatus: status))
        return EgressAnswer(
            status: status,
            headers: headers.filter { !$0.name.lowercased().hasPrefix("content-") }
                + [("content-type", "application/json")],
            body: .whole(Array(shown.text.text.utf8)))
    }
}
