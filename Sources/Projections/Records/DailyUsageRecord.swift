package import Domain
import GRDB

/// What was done on one day.
package struct DailyUsageRecord: Hashable, Sendable {
    package let day: CalendarDay
    package let runs: UInt64
    package let toolCalls: UInt64
    /// Calls of models that were let through.
    package let modelCalls: UInt64
    package let promptTokens: UInt64
    package let completionTokens: UInt64
    package let cost: MicroUSD

    init(_ row: Row) {
        func sum(_ name: String) -> UInt64 { UInt64(clamping: row[name] as Int64? ?? 0) }
        day = CalendarDay(daysSinceEpoch: row["day"])
        runs = sum("runs")
        toolCalls = sum("tool_calls")
        modelCalls = sum("model_calls")
        promptTokens = sum("prompt_tokens")
        completionTokens = sum("completion_tokens")
        cost = MicroUSD(sum("cost"))
    }
}
