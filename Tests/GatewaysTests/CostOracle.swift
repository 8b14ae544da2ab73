import Domain
import Foundation
import TestSupport

/// Prices what a call consumed line by line, as a provider's invoice does: in decimal dollars a token, with no code and no
/// table of the product's.
struct CostOracle {
    /// Dollars for one token of each kind, as published (github.com/BerriAI/litellm, 2026-11-26).
    struct Rates {
        var input: String
        var output: String
        var cacheRead: String?
        var cacheWrite: String?
        var cacheWriteHour: String?
        var audioInput: String?
        var audioOutput: String?
        var reasoning: String?
    }

    /// Tokens of each kind, none of them counted twice.
    struct Consumption {
        var text: Int
        var cacheRead = 0
        var cacheWrite = 0
        var cacheWriteHour = 0
        var audioInput = 0
        var written: Int
        var reasoning = 0
        var audioOutput = 0
    }

    let rates: Rates

    /// Millionths of a dollar, rounded up.
    func cost(_ used: Consumption) -> UInt64 {
        let lines: [(Int, String)] = [
            (used.text, rates.input), (used.cacheRead, rates.cacheRead ?? rates.input),
            (used.cacheWrite, rates.cacheWrite ?? rates.input),
            (used.cacheWriteHour, rates.cacheWriteHour ?? rates.cacheWrite ?? rates.input),
            (used.audioInput, rates.audioInput ?? rates.input), (used.written, rates.output),
            (used.reasoning, rates.reasoning ?? rates.output), (used.audioOutput, rates.audioOutput ?? rates.output),
        ]
        var dollars = Decimal.zero
        for (count, rate) in lines { dollars += Decimal(count) * (Decimal(string: rate) ?? .nan) }
        var (exact, rounded) = (dollars * 1_000_000, Decimal.zero)
        NSDecimalRound(&rounded, &exact, 0, .up)
        return NSDecimalNumber(decimal: rounded).uint64Value
    }
}

extension CostOracle.Consumption {
    /// Kinds that a provider does not count are 0.
    static func random(_ kinds: Set<WritableKeyPath<Self, Int>>, _ random: inout SeededRandom) -> Self {
        func count() -> Int {
            guard random.chance(70) else { return 0 }
            return .random(in: 0...random.pick([3, 100, 5_000, 200_000]), using: &random)
        }
        var used = Self(text: count(), written: count())
        for kind in [
            \Self.cacheRead, \.cacheWrite, \.cacheWriteHour, \.audioInput, \.reasoning, \.audioOutput,
        ] where kinds.contains(kind) { used[keyPath: kind] = count() }
        return used
    }
}
