import Domain
import EventStreaming
import Projections

/// What all agents of a workspace have spent this month, and what of that is under a budget.
struct SpendSummary: Hashable, Sendable {
    private(set) var items: [SpendItem] = []
    private var total = MicroUSD.zero
    private var budget = MicroUSD.zero
    private var remaining = MicroUSD.zero
    private var uncapped = MicroUSD.zero
    /// Calls whose cost is not in the sums, because their models have no price.
    private var unpricedCalls: UInt64 = 0

    /// Adds an agent; calls that no agent made come with an empty name.
    mutating func add(_ agent: String, _ models: AgentModels, _ records: [ModelSpendRecord]) {
        let own = SpendItem.items(of: agent, models, records)
        items += own
        let spent = records.map(\.spending).cost
        total = total + spent
        unpricedCalls += records.reduce(0) { $0 + $1.sums.unpricedCalls }
        // A budget for everything holds, whatever the models' own ones come to together.
        if let all = models.monthlyBudget {
            budget = budget + all
            remaining = remaining + (all - spent)
            return
        }
        for item in own {
            guard let limit = item.budget else { continue }
            budget = budget + limit
            remaining = remaining + (limit - item.spent)
        }
        let capped = models.entries.filter { $0.monthlyBudget != nil }
        uncapped =
            uncapped + records.filter { record in !capped.contains { $0.isOf(record.spending) } }.map(\.spending).cost
    }

    /// In the published shape.
    ///
    /// - Parameter limit: of either list.
    func json(_ period: CalendarMonth, _ workspace: WorkspaceName, limit: Int) -> JSONText {
        let near = items.filter { $0.status == .near }
        let reached = items.filter { $0.status == .reached }
        func list(_ items: [SpendItem]) -> [JSONText] {
            items.sorted { ($1.spent, $0.agent, $0.model) < ($0.spent, $1.agent, $1.model) }.prefix(limit)
                .map { $0.json(period, namespace: workspace) }
        }
        return .object { json in
            json.add(
                "summary",
                JSONText.object { json in
                    json.add("total_estimated_spend_usd", JSONText(dollars: total))
                    json.add("total_budget_usd", JSONText(dollars: budget))
                    json.add("remaining_budget_usd", JSONText(dollars: remaining))
                    json.add("budgeted_model_count", items.count { $0.budget != nil })
                    json.add("near_budget_count", near.count)
                    json.add("blocked_count", reached.count)
                    json.add("uncapped_spend_usd", JSONText(dollars: uncapped))
                    if unpricedCalls > 0 { json.add("unpriced_calls", unpricedCalls) }
                    json.add("period_start", period.firstDay.start)
                    json.add("period_end", period.next.firstDay.start)
                })
            json.add("warnings", list(reached + near))
            json.add(
                "top_models",
                list(items.filter { $0.model != SpendItem.allModels && ($0.spent > .zero || $0.budget != nil) }))
        }
    }
}
