package import Domain

/// What well-known models cost where their provider's document does not say, in US dollars for a million tokens.
///
/// Compared on 2026-11-26 with the list that LiteLLM keeps (github.com/BerriAI/litellm,
/// model_prices_and_context_window.json), not with the providers themselves. Prices change, and contracts differ:
/// `spec.prices` goes before.
package enum ModelPriceTable {
    /// Model: input, output, cached input.
    private static let dollars: [String: (String, String, String?)] = [
        "gpt-3.5-turbo": ("0.50", "1.50", nil),
        "gpt-4": ("30", "60", nil),
        "gpt-4-turbo": ("10", "30", nil),
        "gpt-4.1": ("2", "8", "0.50"),
        "gpt-4.1-mini": ("0.40", "1.60", "0.10"),
        "gpt-4.1-nano": ("0.10", "0.40", "0.025"),
        "gpt-4o": ("2.50", "10", "1.25"),
        "gpt-4o-audio-preview": ("2.50", "10", nil),
        "gpt-4o-mini": ("0.15", "0.60", "0.075"),
        "gpt-4o-mini-audio-preview": ("0.15", "0.60", nil),
        "gpt-5": ("1.25", "10", "0.125"),
        "gpt-5-chat": ("1.25", "10", "0.125"),
        "gpt-5-mini": ("0.25", "2", "0.025"),
        "gpt-5-nano": ("0.05", "0.40", "0.005"),
        "gpt-5-pro": ("15", "120", nil),
        "gpt-5.1": ("1.25", "10", "0.125"),
        "gpt-5.2": ("1.75", "14", "0.175"),
        "gpt-5.2-pro": ("21", "168", nil),
        "gpt-5.4": ("2.50", "15", "0.25"),
        "gpt-5.4-mini": ("0.75", "4.50", "0.075"),
        "gpt-5.4-nano": ("0.20", "1.25", "0.02"),
        "gpt-5.4-pro": ("30", "180", nil),
        "gpt-5.5": ("5", "30", "0.50"),
        "gpt-5.5-pro": ("30", "180", nil),
        "gpt-5.6": ("4", "20", "0.40"),
        "gpt-5.6-luna": ("0.20", "1.20", "0.02"),
        "gpt-5.6-sol": ("4", "20", "0.40"),
        "gpt-5.6-terra": ("2", "12", "0.20"),
        "gpt-6-astra": ("10", "50", "1"),
        "gpt-6-luna": ("0.10", "0.50", "0.01"),
        "gpt-6-sol": ("2", "10", "0.20"),
        "gpt-6.1-sol": ("2", "10", "0.10"),
        "gpt-audio": ("2.50", "10", nil),
        "gpt-audio-1.5": ("2.50", "10", nil),
        "gpt-audio-mini": ("0.60", "2.40", nil),
        "o1": ("15", "60", "7.50"),
        "o1-pro": ("150", "600", nil),
        "o3": ("2", "8", "0.50"),
        "o3-mini": ("1.10", "4.40", "0.55"),
        "o3-pro": ("20", "80", nil),
        "o4-mini": ("1.10", "4.40", "0.275"),
        "text-embedding-3-large": ("0.13", "0", nil),
        "text-embedding-3-small": ("0.02", "0", nil),
        "text-embedding-ada-002": ("0.10", "0", nil),
        "claude-3-5-haiku": ("0.80", "4", "0.08"),
        "claude-3-5-sonnet": ("3", "15", "0.30"),
        "claude-3-7-sonnet": ("3", "15", "0.30"),
        "claude-3-haiku": ("0.25", "1.25", "0.03"),
        "claude-3-opus": ("15", "75", "1.50"),
        "claude-fable-5": ("10", "50", "1"),
        "claude-fable-5-1": ("10", "50", "0.25"),
        "claude-haiku-4-5": ("1", "5", "0.10"),
        "claude-haiku-5-5": ("0.10", "0.50", "0.01"),
        "claude-mythos-5": ("10", "50", "1"),
        "claude-mythos-5-1": ("10", "50", "0.25"),
        "claude-opus-4": ("15", "75", "1.50"),
        "claude-opus-4-1": ("15", "75", "1.50"),
        "claude-opus-4-5": ("5", "25", "0.50"),
        "claude-opus-4-6": ("5", "25", "0.50"),
        "claude-opus-4-7": ("5", "25", "0.50"),
        "claude-opus-4-8": ("5", "25", "0.50"),
        "claude-opus-5": ("5", "25", "0.50"),
        "claude-opus-5-5": ("4", "20", "0.20"),
        "claude-sonnet-4": ("3", "15", "0.30"),
        "claude-sonnet-4-5": ("3", "15", "0.30"),
        "claude-sonnet-4-6": ("3", "15", "0.30"),
        "claude-sonnet-5": ("2", "10", "0.20"),
        "claude-sonnet-5-5": ("2", "10", "0.10"),
        "gemini-2.5-flash": ("0.30", "2.50", "0.03"),
        "gemini-2.5-flash-lite": ("0.10", "0.40", "0.01"),
        "gemini-2.5-pro": ("1.25", "10", "0.125"),
        "gemini-3-flash-preview": ("0.50", "3", "0.05"),
        "gemini-3.1-flash-lite": ("0.25", "1.50", "0.025"),
        "gemini-3.1-pro-preview": ("2", "12", "0.20"),
        "gemini-3.5-flash": ("1.50", "9", "0.15"),
        "gemini-3.5-flash-lite": ("0.30", "2.50", "0.03"),
        "gemini-3.6-flash": ("0.75", "3.75", "0.075"),
        "gemini-3.7-flash": ("0.75", "3.75", "0.075"),
        "gemini-3.8-flash": ("0.75", "3.75", "0.075"),
        "gemini-4-argon": ("2", "10", "0.10"),
        "gemini-4-hydrogen": ("1.50", "7.50", "0.075"),
        "gemini-embedding-001": ("0.15", "0", nil),
        "gemini-embedding-2": ("0.20", "0", nil),
        "amazon.nova-2-lite": ("0.30", "2.50", "0.075"),
        "amazon.nova-lite": ("0.06", "0.24", "0.015"),
        "amazon.nova-micro": ("0.035", "0.14", "0.00875"),
        "amazon.nova-premier": ("2.50", "12.50", "0.625"),
        "amazon.nova-pro": ("0.80", "3.20", "0.20"),
        "amazon.titan-embed-text": ("0.02", "0", nil),
        "amazon.titan-embed-text-v1": ("0.10", "0", nil),
        "cohere.embed": ("0.12", "0", nil),
        "cohere.embed-english-v3": ("0.10", "0", nil),
        "cohere.embed-multilingual-v3": ("0.10", "0", nil),
    ]

    /// Model: input and output of audio; the output of those that write none costs as other output.
    private static let audioDollars: [String: (String, String?)] = [
        "gpt-4o-audio-preview": ("40", "80"),
        "gpt-4o-mini-audio-preview": ("10", "20"),
        "gpt-audio": ("32", "64"),
        "gpt-audio-1.5": ("32", "64"),
        "gpt-audio-mini": ("10", "20"),
        "gemini-2.5-flash": ("1", nil),
        "gemini-2.5-flash-lite": ("0.30", nil),
        "gemini-3-flash-preview": ("1", nil),
        "gemini-3.1-flash-lite": ("0.50", nil),
    ]

    /// The price of a model, by its name or by that of which it is a dated version; `nil` when none is known.
    package static func price(of model: String, kind: String) -> ModelPrice? {
        switch ProviderFormats.format(of: kind).pricing {
        case .free: ModelPrice(input: .zero, output: .zero)
        case .published: prices[model] ?? prices[plainName(model)]
        // The same model elsewhere may cost something else.
        case .unknown: nil
        }
    }

    private static let prices: [String: ModelPrice] = Dictionary(
        uniqueKeysWithValues: dollars.compactMap { model, dollars in
            func amount(_ text: String) -> MicroUSD? { MicroUSD(dollars: text, max: ModelPrice.perMillionMax) }
            guard let input = amount(dollars.0), let output = amount(dollars.1) else { return nil }
            let audio = audioDollars[model]
            var details = CacheWriteRates(of: model)?.prices(input: input) ?? ModelPrice.Details()
            details.audioInput = (audio?.0).flatMap(amount)
            details.audioOutput = (audio?.1).flatMap(amount)
            return (
                model,
                ModelPrice(input: input, output: output, cachedInput: dollars.2.flatMap(amount), details: details)
            )
        })

    /// `gpt-4o-2024-08-06` is `gpt-4o`, `us.anthropic.claude-3-haiku-20240307-v1:0` is `claude-3-haiku`.
    private static func plainName(_ model: String) -> String {
        var parts = model.split(separator: "-", omittingEmptySubsequences: false)
        if let last = parts.last, last.hasPrefix("v"), last.contains(":") { parts.removeLast() }
        if parts.last == "latest" { parts.removeLast() }
        let isDate = { (lengths: [Int]) in
            parts.count > lengths.count
                && zip(parts.suffix(lengths.count), lengths).allSatisfy { part, length in
                    part.utf8.count == length && part.allSatisfy(\.isNumber)
                }
        }
        if isDate([4, 2, 2]) { parts.removeLast(3) } else if isDate([8]) { parts.removeLast() }
        var name = parts.joined(separator: "-")
        for prefix in ["models/", "us.", "eu.", "apac.", "global."] where name.hasPrefix(prefix) {
            name = String(name.dropFirst(prefix.count))
        }
        return name.hasPrefix("anthropic.") ? String(name.dropFirst("anthropic.".count)) : name
    }
}
