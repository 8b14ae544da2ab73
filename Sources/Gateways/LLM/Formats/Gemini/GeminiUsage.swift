package import Domain

/// Reads the member `usageMetadata` of Gemini's answers (ai.google.dev/api/generate-content#UsageMetadata).
package enum GeminiUsage {
    /// Cached tokens are counted within the prompt there too. The results of the provider's own tools are counted
    /// beside the prompt, and thoughts beside the candidates; both are billed.
    package static func tokens(_ usage: JSONValue?) -> TokenUsage? {
        guard let prompt = usage?["promptTokenCount"]?.unsigned else { return nil }
        let thoughts = usage?["thoughtsTokenCount"]?.unsigned ?? 0
        func audio(_ name: String) -> UInt64 {
            (usage?[name]?.elements ?? []).filter { $0["modality"]?.string == "AUDIO" }
                .map { $0["tokenCount"]?.unsigned ?? 0 }.billed
        }
        let (heard, cached) = (audio("promptTokensDetails"), audio("cacheTokensDetails"))
        return TokenUsage(
            prompt: [prompt, usage?["toolUsePromptTokenCount"]?.unsigned ?? 0].billed,
            completion: [usage?["candidatesTokenCount"]?.unsigned ?? 0, thoughts].billed,
            cached: usage?["cachedContentTokenCount"]?.unsigned ?? 0,
            details: TokenUsage.Details(
                audioPrompt: heard > cached ? heard - cached : 0, reasoning: thoughts,
                audioCompletion: audio("candidatesTokensDetails")))
    }
}
