/// The tokens of a call of a model, by the kinds that providers price.
///
/// Kinds with a price of their own are counted within `prompt` or `completion`, and no token is counted in two of them.
/// Providers differ: OpenAI counts like this, Anthropic and Bedrock tell what a cache was read or written for beside the
/// input, Gemini tells reasoning beside the output. Their readers convert.
package struct TokenUsage: Hashable, Sendable {
    /// What no call takes: larger numbers are a provider's mistake, and are taken for this.
    package static let tokensMax: UInt64 = 1_000_000_000

    /// Those of the prompt, cached ones included.
    package let prompt: UInt64
    /// Those of the answer, reasoning included.
    package let completion: UInt64
    /// Those of the prompt that the provider had in its cache.
    package let cached: UInt64
    /// Those of the prompt that the provider wrote to its cache, for the shortest time that it offers.
    package let cacheWrite: UInt64
    /// Those of the prompt that the provider wrote to its cache for an hour.
    package let cacheWriteHour: UInt64
    /// Those of the prompt that are audio, neither cached nor written to a cache.
    package let audioPrompt: UInt64
    /// Those of the completion that the model spent on reasoning.
    package let reasoning: UInt64
    /// Those of the completion that are audio.
    package let audioCompletion: UInt64

    /// Parts beyond their whole are cut, in the order of the parameters.
    package init(
        prompt: UInt64, completion: UInt64, cached: UInt64 = 0, details: Details = Details()
    ) {
        self.prompt = min(prompt, Self.tokensMax)
        self.completion = min(completion, Self.tokensMax)
        var rest = self.prompt
        func take(_ count: UInt64) -> UInt64 {
            let part = min(count, rest)
            rest -= part
            return part
        }
        self.cached = take(cached)
        cacheWrite = take(details.cacheWrite)
        cacheWriteHour = take(details.cacheWriteHour)
        audioPrompt = take(details.audioPrompt)
        rest = self.completion
        reasoning = take(details.reasoning)
        audioCompletion = take(details.audioCompletion)
    }

    /// The kinds that few calls have.
    package struct Details: Hashable, Sendable {
        package var cacheWrite: UInt64 = 0
        package var cacheWriteHour: UInt64 = 0
        package var audioPrompt: UInt64 = 0
        package var reasoning: UInt64 = 0
        package var audioCompletion: UInt64 = 0

        package init(
            cacheWrite: UInt64 = 0, cacheWriteHour: UInt64 = 0, audioPrompt: UInt64 = 0, reasoning: UInt64 = 0,
            audioCompletion: UInt64 = 0
        ) {
            self.cacheWrite = cacheWrite
            self.cacheWriteHour = cacheWriteHour
            self.audioPrompt = audioPrompt
            self.reasoning = reasoning
            self.audioCompletion = audioCompletion
        }
    }

    package var details: Details {
        Details(
            cacheWrite: cacheWrite, cacheWriteHour: cacheWriteHour, audioPrompt: audioPrompt, reasoning: reasoning,
            audioCompletion: audioCompletion)
    }

    /// Everything that was written to a cache.
    package var cacheWrites: UInt64 { cacheWrite + cacheWriteHour }

    /// Those of the prompt that a provider with a count of cached ones beside the input tells as input.
    package var uncachedPrompt: UInt64 { prompt - cached - cacheWrites }

    /// The same prompt with another answer, of which nothing but the length is known.
    package func with(completion: UInt64) -> TokenUsage {
        TokenUsage(
            prompt: prompt, completion: completion, cached: cached,
            details: Details(cacheWrite: cacheWrite, cacheWriteHour: cacheWriteHour, audioPrompt: audioPrompt))
    }
}
