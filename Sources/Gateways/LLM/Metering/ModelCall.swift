package import Domain

/// One call of a model, with all that its record says of it but what came of it.
package struct ModelCall: Sendable {
    let caller: ModelCaller
    let workspace: WorkspaceName
    /// The run that it is for; `nil` when that is not known for sure.
    let runID: RunID?
    let agent: String?
    let user: String?
    let provider: String
    let providerKind: String
    let prices: ModelPrices
    let model: String
    /// The name that the caller asked for; `nil` when that is the model's own.
    let askedModel: String?
    let operation: String
    /// The request in its caller's format; where no usage is told, the estimate is made from it.
    let document: JSONValue
    /// Turns that the provider keeps, which are billed as a part of the prompt.
    let earlier: EarlierTurns
    /// The room that limits and budgets keep for it while it is in flight; `nil` when none holds for it.
    var reservation: CallReservation?

    var price: ModelPrice? { prices[model] ?? ModelPriceTable.price(of: model, kind: providerKind) }
}

/// What came of a call.
package struct ModelUsageReport: Sendable {
    package let call: ModelCall
    package let outcome: ModelCalled.Outcome
    package let isStreamed: Bool
    package let usage: TokenUsage?
    package let isEstimated: Bool
    package let latency: Duration
    package let timeToFirstByte: Duration?
    /// The response, to be recorded with the call.
    package let answer: ModelAnswer?

    package init(
        call: ModelCall, outcome: ModelCalled.Outcome, isStreamed: Bool = false, usage: TokenUsage? = nil,
        isEstimated: Bool = false, latency: Duration, timeToFirstByte: Duration? = nil, answer: ModelAnswer? = nil
    ) {
        self.call = call
        self.outcome = outcome
        self.isStreamed = isStreamed
        self.usage = usage
        self.isEstimated = isEstimated
        self.latency = latency
        self.timeToFirstByte = timeToFirstByte
        self.answer = answer
    }
}
