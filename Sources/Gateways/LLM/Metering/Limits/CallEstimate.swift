import Domain

/// What a call may come to, before its provider has answered: reserved while it is in flight.
enum CallEstimate {
    /// The tokens of an answer whose request sets no limit.
    static let answerTokensDefault: UInt64 = 4_096
    /// No request reserves more for its answer, whatever limit it sets: others would wait for it.
    static let answerTokensMax: UInt64 = 128_000

    /// Providers add tokens to each message, and write some texts with twice the tokens of others.
    private static let messageTokens: UInt64 = 8

    private static let limitNames = ["max_completion_tokens", "max_tokens", "max_output_tokens"]

    static func amounts(of call: ModelCall) -> CallAmounts {
        let document = (try? JSONValue(parsing: call.body, .surrogates)) ?? .null
        let limit = limitNames.lazy.compactMap { document[$0]?.unsigned }.first ?? answerTokensDefault
        let choices = max(1, min(document["n"]?.unsigned ?? 1, answerTokensMax))
        let answer = isAnswered(call) ? min(min(limit, answerTokensMax) * choices, answerTokensMax) : 0
        let messages = UInt64(document["messages"]?.elements.count ?? 0)
        let usage = TokenUsage(
            prompt: 2 * UsageEstimate.promptTokens(of: call.body) + (messages + 1) * messageTokens, completion: answer)
        return CallAmounts(
            requests: 1, tokens: usage.prompt + usage.completion, cost: call.price?.cost(of: usage) ?? .zero)
    }

    /// False for what has no tokens of an answer.
    private static func isAnswered(_ call: ModelCall) -> Bool {
        call.operation != LLMRequest.Operation.embeddings.rawValue
    }
}
