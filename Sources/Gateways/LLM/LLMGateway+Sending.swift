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
        func unreadable(_ reason: String) -> ModelCallFailure {
            let reason = "the provider's answer cannot be read: \(reason)"
            return (200...299).contains(response.status) ? .brokenAnswer(reason) : .provider(reason)
        }
        let decoded: OutboundResponse
        do throws(OutboundError) {
            decoded = try response.decoded(upTo: configuration.answerBytesMax)
        } catch {
            throw unreadable("\(error)")
        }
        let answered = ProviderResponse(decoded, Redactor(injector, bare: bare, sent: sent))
        if let reason = answered.unsearchable { throw unreadable(reason) }
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
            guard error.isNeverSent else {
                var failure = ModelCallFailure.provider("the provider did not answer: \(error)")
                failure.mayBeBilled = true
                throw failure
            }
            throw .provider("the provider cannot be reached: \(error)", mayRepeat: true)
        }
    }

    /// The meaning of a response without success: the caller reads the provider's own words and status, except for what
    /// is between Sluice and the provider, which the operator sees to.
    private func failure(
        _ response: ProviderResponse, _ provider: ModelProvider, _ isTranslated: Bool
    ) async -> ModelCallFailure? {
        let status = response.status
        guard !(200...299).contains(status) else { return nil }
        let body = await errorBody(of: response)
        let refused = Self.refusal(body, provider)
        let retryAfter =
            response.header("retry-after").flatMap { Int64($0) }.map { Duration.seconds($0) } ?? refused.retryAfter
        let words = body.flatMap(ProviderWords.message).map(response.redactor.redact)
        let said = words.map { ": \($0)" } ?? ""
        switch status {
        case 300...399:
            return .provider("the provider answered with a redirect (\(status)), which is not followed")
        case 400...499 where [401, 403, 407].contains(status) || refused.isOfCredentials:
            return .provider("the provider refuses the credentials (\(status)): set the model provider's again\(said)")
        case 400...499:
            var failure = ModelCallFailure(
                reason: "the provider refuses the request (\(status))\(said)",
                answer: refusal(response, body, words, isTranslated, retryAfter))
            failure.isAnswered = true
            failure.isAboutUsageRequest = body.map { UsageRequest.isNamed(in: $0) } ?? false
            failure.mayFallBack = status == 429
            failure.mayRepeat = status == 429
            failure.retryAfter = retryAfter
            return failure
        default:
            var failure = ModelCallFailure.provider(
                "the provider answered with status \(status)\(said)", mayRepeat: [502, 503, 529].contains(status),
                retryAfter: retryAfter)
            if words != nil { failure.answer = refusal(response, body, words, isTranslated, retryAfter) }
            return failure
        }
    }

    /// The meaning of an error's document in the provider's format.
    private static func refusal(_ body: [UInt8]?, _ provider: ModelProvider) -> ProviderRefusal {
        let document = body.flatMap { try? JSONValue(parsing: $0, .surrogates) }
        return document.map(provider.format.refusal) ?? ProviderRefusal()
    }

    /// The body of an error, with secrets redacted; `nil` when it is too large or breaks off.
    private func errorBody(of response: ProviderResponse) async -> [UInt8]? {
        let chunks = response.chunks(silenceMax: configuration.timeout)
        guard case .whole(let bytes)? = try? await chunks.begin(upTo: configuration.errorBytesMax) else { return nil }
        return bytes
    }

    /// The provider's own words: in OpenAI's format, or as they came.
    private func refusal(
        _ response: ProviderResponse, _ body: [UInt8]?, _ words: String?, _ isTranslated: Bool,
        _ retryAfter: Duration?
    ) -> EgressAnswer {
        let status = response.status
        var headers = ModelHeaders.ofAnswer(response.headers)
        if let retryAfter, response.header("retry-after") == nil {
            headers.append(("retry-after", String(retryAfter.components.seconds)))
        }
        if !isTranslated, let body {
            return EgressAnswer(status: status, headers: headers, body: .whole(body))
        }
        let shown = ModelErrors.document(
            words ?? "the provider refuses the request with status \(status)",
            type: ModelErrors.type(ofStatus: status))
        return EgressAnswer(
            status: status,
            headers: headers.filter { !$0.name.lowercased().hasPrefix("content-") }
                + [("content-type", "application/json")],
            body: .whole(Array(shown.text.text.utf8)))
    }
}
