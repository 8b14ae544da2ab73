/// What a model costs: for each kind of token, the price of a million.
package struct ModelPrice: Hashable, Sendable {
    /// The most that a million tokens may cost.
    package static let perMillionMax = MicroUSD(10_000_000_000)

    package let input: MicroUSD
    package let output: MicroUSD
    /// For input that the provider had in its cache.
    package let cachedInput: MicroUSD

    /// - Parameter cachedInput: as other input when there is no price of its own.
    package init(input: MicroUSD, output: MicroUSD, cachedInput: MicroUSD? = nil) {
        self.input = min(input, Self.perMillionMax)
        self.output = min(output, Self.perMillionMax)
        self.cachedInput = min(cachedInput ?? input, Self.perMillionMax)
    }

    /// What a call costs, rounded up to a millionth of a dollar once, after everything is added.
    package func cost(of usage: TokenUsage) -> MicroUSD {
        // By the two maxima each product is 10^19 at most, and fits.
        let parts = [
            (usage.prompt - usage.cached, input), (usage.cached, cachedInput), (usage.completion, output),
        ].map { ($0 * $1.value).quotientAndRemainder(dividingBy: 1_000_000) }
        let rest = parts.reduce(0) { $0 + $1.remainder }
        return MicroUSD(parts.reduce(0) { $0 + $1.quotient } + (rest + 999_999) / 1_000_000)
    }
}
