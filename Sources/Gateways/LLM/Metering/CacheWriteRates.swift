import Domain

/// The price of writing to providers' caches, as a part of the price of input: they publish factors, not prices
/// (docs.anthropic.com/en/docs/build-with-claude/prompt-caching, platform.openai.com/docs/guides/prompt-caching).
struct CacheWriteRates: Hashable, Sendable {
    /// In percent of the input's price.
    private let short: UInt64
    private let hour: UInt64

    /// `nil` for models whose writes are billed as other input.
    ///
    /// - Parameter kind: the provider's, where the model's name alone does not show whose it is.
    init?(of model: String, kind: String? = nil) {
        if model.hasSuffix("claude-3-haiku") || model.contains("claude-3-haiku-") {
            (short, hour) = (120, 200)
        } else if model.contains("claude") || kind.map(AnthropicFormat.kinds.contains) == true {
            (short, hour) = (125, 200)
        } else if Self.openAIFamilies.contains(where: model.hasPrefix) {
            // OpenAI's caches have no hour: what stays longer is not told in the usage.
            (short, hour) = (125, 125)
        } else {
            return nil
        }
    }

    /// OpenAI's models before these write to caches for the price of input.
    private static let openAIFamilies = ["gpt-5.6", "gpt-6"]

    func prices(input: MicroUSD) -> ModelPrice.Details {
        ModelPrice.Details(cacheWrite: input.percent(short), cacheWriteHour: input.percent(hour))
    }
}

extension MicroUSD {
    /// That part of an amount of at most `ModelPrice.perMillionMax`, rounded up.
    fileprivate func percent(_ percent: UInt64) -> MicroUSD {
        MicroUSD((min(self, ModelPrice.perMillionMax).value * percent + 99) / 100)
    }
}
