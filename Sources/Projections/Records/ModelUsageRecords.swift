package import Domain
import GRDB

/// Sums over calls of models.
package struct ModelUsageSums: Hashable, Sendable {
    /// Those that were let through.
    package let calls: UInt64
    package let failedCalls: UInt64
    /// Those that a budget has stopped.
    package let refusedCalls: UInt64
    /// Those whose tokens were reckoned from the length of the texts.
    package let estimatedCalls: UInt64
    /// Those that used tokens whose price nobody knows.
    package let unpricedCalls: UInt64
    package let promptTokens: UInt64
    package let completionTokens: UInt64
    package let cachedTokens: UInt64
    package let cost: MicroUSD

    init(_ row: Row) {
        func sum(_ name: String) -> UInt64 { UInt64(clamping: row[name] as Int64? ?? 0) }
        calls = sum("calls")
        failedCalls = sum("failed_calls")
        refusedCalls = sum("refused_calls")
        estimatedCalls = sum("estimated_calls")
        unpricedCalls = sum("unpriced_calls")
        promptTokens = sum("prompt_tokens")
        completionTokens = sum("completion_tokens")
        cachedTokens = sum("cached_tokens")
        cost = MicroUSD(sum("cost"))
    }
}

/// What an agent used of one model in one month.
package struct ModelSpendRecord: Hashable, Sendable {
    /// Empty for calls that no agent made.
    package let agent: String
    package let spending: ModelSpending
    package let sums: ModelUsageSums

    init(_ row: Row) {
        agent = row["agent"]
        sums = ModelUsageSums(row)
        spending = ModelSpending(
            provider: row["provider"], providerKind: row["provider_kind"], model: row["model"], cost: sums.cost)
    }
}

/// What calls of models are put together by.
package enum ModelUsageGrouping: String, Hashable, Sendable, CaseIterable {
    case agent, user, model, provider, day
}

/// What was used by one agent, by one user, on one day, …
package struct ModelUsageRecord: Hashable, Sendable {
    /// The agent's name, the day, …; empty where the calls name none.
    package let group: String
    package let sums: ModelUsageSums

    init(_ row: Row, _ grouping: ModelUsageGrouping) {
        group =
            switch grouping {
            case .day: CalendarDay(daysSinceEpoch: row["grouped"]).description
            case .agent, .user, .model, .provider: row["grouped"]
            }
        sums = ModelUsageSums(row)
    }
}
