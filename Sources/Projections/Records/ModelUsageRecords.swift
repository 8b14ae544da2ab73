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

    init(_ row: Row) throws {
        calls = try row.sum("calls")
        failedCalls = try row.sum("failed_calls")
        refusedCalls = try row.sum("refused_calls")
        estimatedCalls = try row.sum("estimated_calls")
        unpricedCalls = try row.sum("unpriced_calls")
        promptTokens = try row.sum("prompt_tokens")
        completionTokens = try row.sum("completion_tokens")
        cachedTokens = try row.sum("cached_tokens")
        cost = MicroUSD(try row.sum("cost"))
    }
}

/// What an agent used of one model in one month.
package struct ModelSpendRecord: Hashable, Sendable {
    /// Empty for calls that no agent made.
    package let agent: String
    package let spending: ModelSpending
    package let sums: ModelUsageSums

    init(_ row: Row) throws {
        agent = try row.column("agent")
        sums = try ModelUsageSums(row)
        spending = ModelSpending(
            provider: try row.column("provider"), providerKind: try row.column("provider_kind"),
            model: try row.column("model"), cost: sums.cost)
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

    init(_ row: Row, _ grouping: ModelUsageGrouping) throws {
        group =
            switch grouping {
            case .day: CalendarDay(daysSinceEpoch: try row.column("grouped")).description
            case .agent, .user, .model, .provider: try row.column("grouped")
            }
        sums = try ModelUsageSums(row)
    }
}
