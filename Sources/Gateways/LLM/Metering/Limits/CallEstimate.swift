import Domain

/// An estimate of the most that a call uses, before its provider has answered: reserved while it is in flight.
enum CallEstimate {
    /// The tokens of an answer whose request sets no limit.
    static let answerTokensDefault: UInt64 = 4_096
    /// No request reserves more for its answer, whatever limit it sets: others would wait for it.
    static let answerTokensMax: UInt64 = 128_000

    /// Providers add tokens to each message, and write some texts with twice the tokens of others.
    private static let messageTokens: UInt64 = 8

    /// Maximum bytes of names and options that every request has beside its texts.
    private static let formBytesMax: UInt64 = 1_024

    static func amounts(of call: ModelCall) -> CallAmounts {
        let document = call.document
        // Of several limits of one request services heed one or the other.
        let limit = limitNames(call).compactMap { count(document[$0]) }.filter { $0 > 0 }.max() ?? answerTokensDefault
        let choices = max(1, min(count(document["n"]) ?? 1, answerTokensMax))
        let answer = isAnswered(call) ? min(min(limit, answerTokensMax) * choices, answerTokensMax) : 0
        let messages = UInt64(document["messages"]?.elements.count ?? 0)
        let usage = TokenUsage(
            prompt: 2 * max(UsageEstimate.promptTokens(of: document), textTokens(of: document))
                + (messages + 1) * messageTokens + call.earlier.told + 2 * call.earlier.estimated,
            completion: answer)
        return CallAmounts(
            requests: 1, tokens: usage.prompt + usage.completion, cost: call.price?.cost(of: usage) ?? .zero)
    }

    /// The members that limit the answer, in the dialect of the call: another dialect's are not heeded.
    private static func limitNames(_ call: ModelCall) -> [String] {
        switch LLMRequest.Operation(rawValue: call.operation) {
        case .messages, .countTokens: ["max_tokens"]
        case .responses: ["max_output_tokens"]
        case .chatCompletions, .embeddings, nil: ["max_completion_tokens", "max_tokens"]
        }
    }

    /// A count as lenient services read it: `12`, `12.0` and `"12"`.
    private static func count(_ value: JSONValue?) -> UInt64? {
        let text: String
        switch value {
        case .number(let number)?: text = number
        case .string(let string)?: text = string
        default: return nil
        }
        guard let count = Double(text), count >= 0 else { return nil }
        return count < Double(answerTokensMax) ? UInt64(count.rounded(.up)) : answerTokensMax
    }

    /// The tokens of every text of the request, also of members that the estimate of a prompt does not know, such as
    /// documents. Images count by their number.
    private static func textTokens(of document: JSONValue) -> UInt64 {
        let bytes = bytes(of: document)
        return bytes > formBytesMax ? UsageEstimate.tokens(bytes: bytes - formBytesMax) : 0
    }

    private static func bytes(of value: JSONValue) -> UInt64 {
        switch value {
        case .string(let text): text.hasPrefix("data:image/") ? 0 : UInt64(text.utf8.count)
        case .array(let values): values.reduce(0) { $0 + bytes(of: $1) }
        case .object(let members):
            value["media_type"]?.string?.hasPrefix("image/") == true
                ? 0 : members.reduce(0) { $0 + UInt64($1.name.utf8.count) + bytes(of: $1.value) }
        case .number, .bool, .null: 0
        }
    }

    /// False for what has no tokens of an answer.
    private static func isAnswered(_ call: ModelCall) -> Bool {
        call.operation != LLMRequest.Operation.embeddings.rawValue
    }
}
