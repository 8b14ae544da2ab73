/// What a model costs: for each kind of token, the price of a million.
package struct ModelPrice: Hashable, Sendable {
    /// The most that a million tokens may cost.
    package static let perMillionMax = MicroUSD(10_000_000_000)

    package let input: MicroUSD
    package let output: MicroUSD
    /// For input that the provider had in its cache.
    package let cachedInput: MicroUSD
    /// For input that the provider wrote to its cache, for the shortest time that it offers.
    package let cacheWrite: MicroUSD
    /// For input that the provider wrote to its cache for an hour.
    package let cacheWriteHour: MicroUSD
    package let audioInput: MicroUSD
    package let audioOutput: MicroUSD
    package let reasoning: MicroUSD

    /// - Parameters:
    ///   - cachedInput: as other input when there is no price of its own.
    ///   - details: as other input, or other output, where there is no price of its own.
    package init(
        input: MicroUSD, output: MicroUSD, cachedInput: MicroUSD? = nil, details: Details = Details()
    ) {
        func price(_ own: MicroUSD?, _ other: MicroUSD) -> MicroUSD { min(own ?? other, Self.perMillionMax) }
        self.input = min(input, Self.perMillionMax)
        self.output = min(output, Self.perMillionMax)
        self.cachedInput = price(cachedInput, input)
        cacheWrite = price(details.cacheWrite, input)
        cacheWriteHour = price(details.cacheWriteHour ?? details.cacheWrite, input)
        audioInput = price(details.audioInput, input)
        audioOutput = price(details.audioOutput, output)
        reasoning = price(details.reasoning, output)
    }

    /// The prices that few models have.
    package struct Details: Hashable, Sendable {
        package var cacheWrite: MicroUSD?
        /// As `cacheWrite` when there is no price of its own.
        package var cacheWriteHour: MicroUSD?
        package var audioInput: MicroUSD?
        package var audioOutput: MicroUSD?
        package var reasoning: MicroUSD?

        package init(
            cacheWrite: MicroUSD? = nil, cacheWriteHour: MicroUSD? = nil, audioInput: MicroUSD? = nil,
            audioOutput: MicroUSD? = nil, reasoning: MicroUSD? = nil
        ) {
            self.cacheWrite = cacheWrite
            self.cacheWriteHour = cacheWriteHour
            self.audioInput = audioInput
            self.audioOutput = audioOutput
            self.reasoning = reasoning
        }
    }

    /// The prices that differ from those of other input, or of other output: with them, `init` makes the same price again.
    package var details: Details {
        func own(_ price: MicroUSD, _ other: MicroUSD) -> MicroUSD? { price == other ? nil : price }
        return Details(
            cacheWrite: own(cacheWrite, input), cacheWriteHour: own(cacheWriteHour, cacheWrite),
            audioInput: own(audioInput, input), audioOutput: own(audioOutput, output),
            reasoning: own(reasoning, output))
    }

    /// What a call costs, rounded up to a millionth of a dollar once, after everything is added.
    package func cost(of usage: TokenUsage) -> MicroUSD {
        // By the two maxima each product is 10^19 at most, and fits.
        let parts = [
            (usage.uncachedPrompt - usage.audioPrompt, input), (usage.cached, cachedInput),
            (usage.cacheWrite, cacheWrite), (usage.cacheWriteHour, cacheWriteHour), (usage.audioPrompt, audioInput),
            (usage.completion - usage.reasoning - usage.audioCompletion, output), (usage.reasoning, reasoning),
            (usage.audioCompletion, audioOutput),
        ].map { ($0 * $1.value).quotientAndRemainder(dividingBy: 1_000_000) }
        let rest = parts.reduce(0) { $0 + $1.remainder }
        return MicroUSD(parts.reduce(0) { $0 + $1.quotient } + (rest + 999_999) / 1_000_000)
    }
}
