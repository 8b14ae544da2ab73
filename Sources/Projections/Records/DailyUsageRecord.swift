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
        func sum(_ name: String) throws -> UInt64 { UInt64(clamping: (try row.column(name) as Int64?) ?? 0) }
        day = CalendarDay(daysSinceEpoch: try row.column("day"))
        runs = try sum("runs")
        toolCalls = try sum("tool_calls")
        modelCalls = try sum("model_calls")
        promptTokens = try sum("prompt_tokens")
        completionTokens = try sum("completion_tokens")
        cost = MicroUSD(try sum("cost"))
    }
}
