package import Domain

extension TokenUsage {
    /// The member `usage` of an answer: of OpenAI's chat completions or responses, or of Anthropic's messages; `nil` when
    /// it tells nothing.
    ///
    /// OpenAI counts the cached tokens, those written to a cache and the audio within `prompt_tokens`, and the reasoning
    /// and the audio within `completion_tokens`. Some services that speak its format use other names for the same.
    package init?(_ usage: JSONValue?) {
        let prompt = usage?["prompt_tokens"]?.unsigned
        let completion = usage?["completion_tokens"]?.unsigned
        if prompt != nil || completion != nil {
            self.init(
                usage, prompt: prompt ?? 0, completion: completion ?? 0, usage?["prompt_tokens_details"],
                usage?["completion_tokens_details"])
        } else if let usage, Self.isOfResponse(usage) {
            self.init(
                usage, prompt: usage["input_tokens"]?.unsigned ?? 0, completion: usage["output_tokens"]?.unsigned ?? 0,
                usage["input_tokens_details"], usage["output_tokens_details"])
        } else if let told = AnthropicUsage(usage).tokens {
            self = told
        } else {
            return nil
        }
    }

    private init(
        _ usage: JSONValue?, prompt: UInt64, completion: UInt64, _ promptDetails: JSONValue?,
        _ completionDetails: JSONValue?
    ) {
        let reasoning = completionDetails?["reasoning_tokens"]?.unsigned ?? 0
        let cached = [
            promptDetails?["cached_tokens"], usage?["prompt_cache_hit_tokens"], usage?["cached_tokens"],
            usage?["cache_read_input_tokens"],
        ]
        let written = [
            promptDetails?["cache_write_tokens"], promptDetails?["cache_creation_tokens"],
            usage?["cache_creation_input_tokens"],
        ]
        let writes = CacheWrites(
            total: written.lazy.compactMap { $0?.unsigned }.first ?? 0,
            promptDetails?["cache_creation_token_details"]?.present ?? usage?["cache_creation"])
        self.init(
            prompt: prompt, completion: Self.completion(usage, completion, prompt: prompt, reasoning: reasoning),
            cached: cached.lazy.compactMap { $0?.unsigned }.first ?? 0,
            details: Details(
                cacheWrite: writes.short, cacheWriteHour: writes.hour,
                audioPrompt: promptDetails?["audio_tokens"]?.unsigned ?? 0, reasoning: reasoning,
                audioCompletion: completionDetails?["audio_tokens"]?.unsigned ?? 0))
    }

    /// True for the usage of a response of OpenAI's, whose names are Anthropic's, and which counts what is cached within
    /// the input.
    private static func isOfResponse(_ usage: JSONValue) -> Bool {
        guard usage["input_tokens"]?.unsigned != nil else { return false }
        return usage["input_tokens_details"]?.present != nil
            || usage["total_tokens"]?.unsigned != nil && usage["cache_read_input_tokens"]?.present == nil
                && usage["cache_creation_input_tokens"]?.present == nil
    }

    /// The tokens billed as output. OpenAI counts those of reasoning within `completion_tokens`, others beside them, which
    /// the total shows, or that there are more of them.
    private static func completion(
        _ usage: JSONValue?, _ told: UInt64, prompt: UInt64, reasoning: UInt64
    ) -> UInt64 {
        let told = min(told, tokensMax)
        if let total = usage?["total_tokens"]?.unsigned {
            return total > prompt ? max(told, total - prompt) : told
        }
        let reasoning = min(reasoning, tokensMax)
        return reasoning > told ? told + reasoning : told
    }
}

/// Tokens written to a cache, by the time that they stay in it, which decides their price.
struct CacheWrites: Hashable, Sendable {
    /// For the shortest time that the provider offers.
    private(set) var short: UInt64
    private(set) var hour: UInt64

    /// - Parameters:
    ///   - total: all of them; those of no known time are taken for the shortest.
    ///   - detail: `ephemeral_5m_input_tokens` and `ephemeral_1h_input_tokens`.
    init(total: UInt64, _ detail: JSONValue?) {
        self.init(
            total: total, short: detail?["ephemeral_5m_input_tokens"]?.unsigned ?? 0,
            hour: detail?["ephemeral_1h_input_tokens"]?.unsigned ?? 0)
    }

    init(total: UInt64, short: UInt64, hour: UInt64) {
        self.hour = min(hour, TokenUsage.tokensMax)
        let rest = min(total, TokenUsage.tokensMax)
        self.short = max(min(short, TokenUsage.tokensMax), rest > self.hour ? rest - self.hour : 0)
    }

    var total: UInt64 { short + hour }
}
