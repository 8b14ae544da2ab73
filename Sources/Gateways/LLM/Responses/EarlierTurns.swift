package import Domain

/// The tokens of earlier turns that a provider keeps: a request refers to them, and they are billed as a part of its
/// prompt.
package struct EarlierTurns: Hashable, Sendable {
    /// Tokens that the provider has counted.
    package private(set) var told: UInt64 = 0
    /// Tokens that are estimated from the texts, where the provider has counted none.
    package private(set) var estimated: UInt64 = 0

    package init() {}

    /// Those of a response: its prompt, with all turns before it, and its output.
    ///
    /// - Parameter document: The request of the response.
    package init(_ response: JSONValue, to document: JSONValue, after earlier: EarlierTurns) {
        if let usage = TokenUsage(response["usage"]) {
            told = Self.sum(usage.prompt, usage.completion)
            return
        }
        self = earlier + EarlierTurns(outputOf: response)
        estimated = Self.sum(estimated, UsageEstimate.promptTokens(of: document))
    }

    /// The output of a response alone.
    package init(outputOf response: JSONValue) {
        if let usage = TokenUsage(response["usage"]) {
            told = min(usage.completion, TokenUsage.tokensMax)
        } else if let output = response["output"] {
            estimated = UsageEstimate.tokens(bytes: UInt64(output.text.text.utf8.count))
        }
    }

    var total: UInt64 { Self.sum(told, estimated) }

    static func + (one: Self, other: Self) -> Self {
        var turns = Self()
        turns.told = sum(one.told, other.told)
        turns.estimated = sum(one.estimated, other.estimated)
        return turns
    }

    /// A provider may count as much as it likes: a turn has at most what a call may have.
    private static func sum(_ one: UInt64, _ other: UInt64) -> UInt64 {
        min(min(one, TokenUsage.tokensMax) + min(other, TokenUsage.tokensMax), TokenUsage.tokensMax)
    }
}
