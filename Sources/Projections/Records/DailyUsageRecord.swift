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

    init(_ row: Row) throws {
        day = CalendarDay(daysSinceEpoch: try row.column("day"))
        runs = try row.sum("runs")
        toolCalls = try row.sum("tool_calls")
        modelCalls = try row.sum("model_calls")
        promptTokens = try row.sum("prompt_tokens")
        completionTokens = try row.sum("completion_tokens")
        cost = MicroUSD(try row.sum("cost"))
    }
}
