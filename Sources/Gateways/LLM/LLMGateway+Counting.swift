import Domain

/// Counts of the tokens that a request would have, which cost nothing: they are neither recorded nor billed, and no budget
/// stops them.
extension LLMGateway {
    /// Marks a count that is an estimate of the gateway's.
    static let estimateHeader = "sluice-estimate"

    /// The statuses of services that speak Anthropic's format and count no tokens.
    private static let uncountedStatuses: Set<Int> = [404, 405, 501]

    /// Answers with the provider's own count, or with an estimate where the provider does not count.
    func countTokens(of request: LLMRequest) async throws -> EgressAnswer {
        guard case .array = request.document["messages"] else {
            return .refusal(400, "REQUEST_UNSUPPORTED", "messages must be an array")
        }
        let directory = try await self.directory(of: request.workspace)
        guard let route = directory.route(request.model, named: request.provider) else {
            return .refusal(404, "MODEL_UNKNOWN", directory.reason(against: request.model))
        }
        let call = ProviderCall(provider: route.provider, model: route.model, request: request)
        do throws(ModelCallFailure) {
            return try await countTokens(call).with((Self.providerHeader, route.provider.name))
        } catch {
            return error.answer
        }
    }

    private func countTokens(_ call: ProviderCall) async throws(ModelCallFailure) -> EgressAnswer {
        guard call.provider.passesOn(.countTokens) else { return Self.estimate(call) }
        try takeRate(of: call)
        do throws(ModelCallFailure) {
            return try await passOn(call.body, of: call)
        } catch {
            guard Self.uncountedStatuses.contains(error.answer.status) else { throw error }
            return Self.estimate(call)
        }
    }

    private static func estimate(_ call: ProviderCall) -> EgressAnswer {
        let tokens = UsageEstimate.promptTokens(of: call.request.document)
        return .json(.members(["input_tokens": .number(String(tokens))]), [(estimateHeader, "true")])
    }
}
