import Domain

/// The usage of a message of Anthropic's. A stream tells it at its beginning, and at its end what has changed since.
struct AnthropicUsage: Hashable, Sendable {
    private var input: UInt64?
    private var read: UInt64 = 0
    private var written: UInt64 = 0
    private var writtenShort: UInt64 = 0
    private var writtenHour: UInt64 = 0
    private var output: UInt64 = 0
    private var thinking: UInt64 = 0

    init(_ usage: JSONValue? = nil) { update(usage) }

    mutating func update(_ usage: JSONValue?) {
        // Some services send 0 at the end for what they told at the beginning; the output is known at the end alone.
        func larger(_ name: String, _ known: UInt64, in object: JSONValue?) -> UInt64 {
            max(object?[name]?.unsigned ?? 0, known)
        }
        if let told = usage?["input_tokens"]?.unsigned { input = max(told, input ?? 0) }
        read = larger("cache_read_input_tokens", read, in: usage)
        written = larger("cache_creation_input_tokens", written, in: usage)
        // Told at the beginning of a stream alone.
        writtenShort = larger("ephemeral_5m_input_tokens", writtenShort, in: usage?["cache_creation"])
        writtenHour = larger("ephemeral_1h_input_tokens", writtenHour, in: usage?["cache_creation"])
        output = usage?["output_tokens"]?.unsigned ?? output
        thinking = usage?["output_tokens_details"]?["thinking_tokens"]?.unsigned ?? thinking
    }

    /// Tokens read from a cache or written to it are counted beside the input there, and within the prompt here. Writes of
    /// no told time stay for five minutes. Thinking is counted within the output.
    var tokens: TokenUsage? {
        guard let input else { return nil }
        let writes = CacheWrites(total: written, short: writtenShort, hour: writtenHour)
        return TokenUsage(
            prompt: [input, read, writes.total].billed, completion: output, cached: read,
            details: TokenUsage.Details(cacheWrite: writes.short, cacheWriteHour: writes.hour, reasoning: thinking))
    }
}

extension [UInt64] {
    /// The sum of counts of tokens, each at most what a call may take.
    var billed: UInt64 { reduce(0) { $0 + Swift.min($1, TokenUsage.tokensMax) } }
}
