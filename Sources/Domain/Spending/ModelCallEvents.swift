/// What came of a call of a model through the gateway, and what it cost.
package struct ModelCalled: Hashable, Sendable {
    package enum Outcome: Hashable, Sendable {
        /// The provider answered with that status, and the caller got the answer.
        case answered(statusCode: UInt32)
        /// There was no answer, or it broke off.
        case failed(error: String)
        /// A budget was used up; nothing was sent.
        case overBudget
    }

    /// The name of the model provider.
    package let provider: String
    /// `openai`, `anthropic`, …
    package let providerKind: String
    package let model: String
    /// The name that the caller asked for, when another model was called: by an alias, or in the place of a failed one.
    package var askedModel: String?
    /// What the agent has that model for, when its configuration says.
    package let role: String?
    /// `chat/completions` or `embeddings`.
    package let operation: String
    package let agentID: String?
    package let userID: String?
    package let isStreamed: Bool
    package let outcome: Outcome
    /// `nil` when nobody knows, or nothing was used.
    package let usage: TokenUsage?
    /// Whether the usage was reckoned from the length of the texts, because the provider did not tell.
    package let isEstimated: Bool
    package let latency: Duration
    package let timeToFirstByte: Duration?
    /// What was reckoned with; `nil` when no price is known.
    package let price: ModelPrice?
    /// `nil` when the usage or the price is not known.
    package let cost: MicroUSD?
    /// Whether a budget of the agent is at 80 % or more, this call included.
    package let isNearBudget: Bool
    /// Names the call in its run's journal; `nil` when the response is not recorded.
    package var callID: ModelCallID?

    package init(
        provider: String, providerKind: String, model: String, role: String?, operation: String, agentID: String?,
        userID: String?, isStreamed: Bool, outcome: Outcome, usage: TokenUsage?, isEstimated: Bool,
        latency: Duration, timeToFirstByte: Duration?, price: ModelPrice?, cost: MicroUSD?, isNearBudget: Bool,
        callID: ModelCallID? = nil, askedModel: String? = nil
    ) {
        self.provider = provider
        self.providerKind = providerKind
        self.model = model
        self.role = role
        self.operation = operation
        self.agentID = agentID
        self.userID = userID
        self.isStreamed = isStreamed
        self.outcome = outcome
        self.usage = usage
        self.isEstimated = isEstimated
        self.latency = latency
        self.timeToFirstByte = timeToFirstByte
        self.price = price
        self.cost = cost
        self.isNearBudget = isNearBudget
        self.callID = callID
        self.askedModel = askedModel
    }

    /// Whether it was let through.
    package var isMade: Bool { outcome != .overBudget }
}
