/// How many tokens a call of a model took.
package struct TokenUsage: Hashable, Sendable {
    /// What no call takes: larger numbers are a provider's mistake, and are taken for this.
    package static let tokensMax: UInt64 = 1_000_000_000

    /// Those of the prompt, cached ones included.
    package let prompt: UInt64
    package let completion: UInt64
    /// Those of the prompt that the provider had in its cache; never more than `prompt`.
    package let cached: UInt64

    package init(prompt: UInt64, completion: UInt64, cached: UInt64 = 0) {
        self.prompt = min(prompt, Self.tokensMax)
        self.completion = min(completion, Self.tokensMax)
        self.cached = min(cached, self.prompt)
    }
}
