import CommandHandling
import Domain
import EventStreaming
import HTTPTypes
import Projections

/// What models cost, and who used them. A key that speaks for one agent sees that agent's part alone.
extension APIHandlers {
    private static let spendItemsMax: UInt64 = 1_000
    private static let usageRowsMax: UInt64 = 10_000

    /// This month's spending beside the budgets.
    func modelSpend(_ request: APIRequest) async throws -> APIAnswer {
        let limit = Int(try request.query("limit", in: 1...Self.spendItemsMax) ?? 10)
        let period = CalendarMonth(containing: now)
        let agent = try agentID(nil, request)
        let records = Dictionary(
            grouping: try await projections.modelSpend(of: agent, in: period, request.workspace), by: \.agent)
        var summary = SpendSummary()
        var known: Set<String> = []
        for (name, models) in try await projections.agentModels(of: agent, in: request.workspace) {
            known.insert(name)
            summary.add(name, models, records[name] ?? [])
        }
        for name in records.keys.sorted() where !known.contains(name) {
            summary.add(name, AgentModels(document: .null), records[name] ?? [])
        }
        return APIAnswer(.ok, summary.json(period, request.workspace, limit: limit))
    }

    /// Calls, tokens and cost from one day to another, by agent, user, model, provider or day.
    func modelUsage(_ request: APIRequest) async throws -> APIAnswer {
        let today = CalendarDay(containing: now)
        let last = try request.day("to") ?? today
        let first = try Self.firstDay(request, today: today) ?? CalendarMonth(containing: last.start).firstDay
        let days = CalendarDay.usageDaysBackMax
        guard first <= last, last.daysSinceEpoch - first.daysSinceEpoch <= days else {
            let name = request.query("since") == nil ? "from" : "since"
            throw APIError.badRequest("\(name) must be before to, by \(days) days at most")
        }
        let names = ModelUsageGrouping.allCases.map(\.rawValue).joined(separator: ", ")
        let text = request.query("group_by") ?? ModelUsageGrouping.agent.rawValue
        guard let grouping = ModelUsageGrouping(rawValue: text) else {
            throw APIError.badRequest("group_by must be one of \(names)")
        }
        let limit = Int(try request.query("limit", in: 1...Self.usageRowsMax) ?? 1_000)
        let (records, hasMore, total) = try await projections.modelUsage(
            by: grouping, from: first, to: last, of: try agentID(request.query("agent"), request), limit: limit,
            in: request.workspace)
        let answer = JSONText.object { json in
            json.add("from", first.description)
            json.add("to", last.description)
            json.add("group_by", grouping.rawValue)
            json.add("rows", records.map { $0.json(grouping) })
            json.add("total", JSONText.object { total.add(to: &$0) })
            json.add("has_more", hasMore)
        }
        return APIAnswer(.ok, answer)
    }

    /// The first day that a request asks for, by a day or by a time before today.
    private static func firstDay(_ request: APIRequest, today: CalendarDay) throws(APIError) -> CalendarDay? {
        let day = try request.day("from")
        guard let since = request.query("since") else { return day }
        guard day == nil else { throw .badRequest("from and since exclude each other") }
        guard let first = CalendarDay(since: since, before: today) else {
            throw .badRequest("since must be days or weeks such as 7d or 2w, or a day such as 2026-01-31")
        }
        return first
    }
}

extension APIRequest {
    func day(_ name: String) throws(APIError) -> CalendarDay? {
        guard let text = query(name) else { return nil }
        guard let day = CalendarDay(text) else {
            throw .badRequest("\(name) must be a day such as 2026-01-31")
        }
        return day
    }
}

extension ModelUsageRecord {
    fileprivate func json(_ grouping: ModelUsageGrouping) -> JSONText {
        .object { json in
            json.add(grouping.rawValue, group)
            sums.add(to: &json)
        }
    }
}

extension ModelUsageSums {
    fileprivate func add(to json: inout JSONObject) {
        json.add("calls", calls)
        json.add("failed_calls", failedCalls)
        json.add("refused_calls", refusedCalls)
        json.add("estimated_calls", estimatedCalls)
        json.add("unpriced_calls", unpricedCalls)
        json.add("prompt_tokens", promptTokens)
        json.add("completion_tokens", completionTokens)
        json.add("cached_tokens", cachedTokens)
        json.add("cost_usd", JSONText(dollars: cost))
    }
}
