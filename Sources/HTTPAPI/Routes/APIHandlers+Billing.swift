import CommandHandling
import Domain
import EventStreaming
import HTTPTypes
import Projections

/// What a workspace has used. Nobody is billed for a daemon of one's own: what is about payments says so.
extension APIHandlers {
    private static let usageDaysMax: Int64 = 400

    func billing(_ request: APIRequest) async throws -> APIAnswer {
        let (today, period) = (CalendarDay(containing: now), CalendarMonth(containing: now))
        let days = try await projections.dailyUsage(
            from: period.firstDay, to: CalendarDay(daysSinceEpoch: period.next.firstDay.daysSinceEpoch - 1),
            in: request.workspace)
        let answer = JSONText.object { json in
            json.add("plan_status", "self_hosted")
            json.add("actions_used", days.map(\.actions).reduce(0, +))
            json.add("actions_limit", 0)
            json.add("unlimited", true)
            json.add("period_start", period.firstDay.start)
            json.add("period_end", period.next.firstDay.start)
            json.add("days_remaining", period.next.firstDay.daysSinceEpoch - today.daysSinceEpoch)
            json.add("has_payment_method", false)
            DailyUsageRecord.add(days, to: &json)
        }
        return APIAnswer(.ok, answer)
    }

    /// Every day from `from` to `to`, those without use too; without them this month until today.
    func dailyUsage(_ request: APIRequest) async throws -> APIAnswer {
        let today = CalendarDay(containing: now)
        let last = try request.day("to") ?? today
        let first = try request.day("from") ?? CalendarMonth(containing: last.start).firstDay
        guard first <= last, last.daysSinceEpoch - first.daysSinceEpoch < Self.usageDaysMax else {
            throw APIError.badRequest("from must be before to, by \(Self.usageDaysMax) days at most")
        }
        let records = try await projections.dailyUsage(from: first, to: last, in: request.workspace)
        let known = Dictionary(records.map { ($0.day, $0) }) { first, _ in first }
        let days = (first.daysSinceEpoch...last.daysSinceEpoch).map(CalendarDay.init(daysSinceEpoch:))
        return APIAnswer(
            .ok,
            JSONText(
                array: days.map { day in
                    .object { json in
                        json.add("date", day.description)
                        json.add("count", known[day]?.actions ?? 0)
                        DailyUsageRecord.add(known[day].map { [$0] } ?? [], to: &json)
                    }
                }))
    }

    /// What published clients call to pay for a hosted plan.
    func noPayments(_ request: APIRequest) async throws -> APIAnswer {
        throw APIError(
            .notImplemented, .notOffered,
            "this Sluice is self-hosted: there is no plan to pay for and no payment provider behind it. Read usage at GET "
                + "/billing and GET /billing/usage/daily, and set budgets for models at PUT /agents/{name}/config")
    }
}

extension DailyUsageRecord {
    /// What the published API counts: calls of tools and of models that were made.
    fileprivate var actions: UInt64 { toolCalls + modelCalls }

    fileprivate static func add(_ days: [DailyUsageRecord], to json: inout JSONObject) {
        func sum(_ value: (DailyUsageRecord) -> UInt64) -> UInt64 { days.map(value).reduce(0, +) }
        json.add("runs", sum(\.runs))
        json.add("tool_calls", sum(\.toolCalls))
        json.add("model_calls", sum(\.modelCalls))
        json.add("prompt_tokens", sum(\.promptTokens))
        json.add("completion_tokens", sum(\.completionTokens))
        json.add("cost_usd", JSONText(dollars: MicroUSD(sum(\.cost.value))))
    }
}
