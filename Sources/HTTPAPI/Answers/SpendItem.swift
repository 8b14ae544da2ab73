import Domain
import EventStreaming
import Projections

/// One model of one agent, with its budget and what it has cost this month.
struct SpendItem: Hashable, Sendable {
    /// Stands for all models of an agent together.
    static let allModels = "*"

    let agent: String
    let role: String?
    let modelProvider: String?
    let provider: String?
    let model: String
    let budget: MicroUSD?
    let spent: MicroUSD
    /// Calls whose cost is not in `spent`, because nobody knows the price.
    let unpricedCalls: UInt64

    var status: BudgetStanding.Status { BudgetStanding.status(spent: spent, of: budget) }

    /// Every model that the agent is configured for or has used, and all together when there is a budget for that.
    static func items(of agent: String, _ models: AgentModels, _ records: [ModelSpendRecord]) -> [SpendItem] {
        let configured = models.entries.map { entry in
            let own = records.filter { entry.isOf($0.spending) }
            return SpendItem(
                agent: agent, role: entry.role, modelProvider: entry.modelProvider, provider: entry.provider,
                model: entry.model, budget: entry.monthlyBudget, spent: own.map(\.spending).cost,
                unpricedCalls: own.reduce(0) { $0 + $1.sums.unpricedCalls })
        }
        let others = records.filter { record in !models.entries.contains { $0.isOf(record.spending) } }.map {
            SpendItem(
                agent: agent, role: nil, modelProvider: $0.spending.provider, provider: $0.spending.providerKind,
                model: $0.spending.model, budget: nil, spent: $0.spending.cost, unpricedCalls: $0.sums.unpricedCalls)
        }
        guard let budget = models.monthlyBudget else { return configured + others }
        let all = SpendItem(
            agent: agent, role: nil, modelProvider: nil, provider: nil, model: allModels, budget: budget,
            spent: records.map(\.spending).cost, unpricedCalls: records.reduce(0) { $0 + $1.sums.unpricedCalls })
        return configured + others + [all]
    }

    /// - Parameter namespace: given where the agent is to be named too.
    func json(_ period: CalendarMonth, namespace: WorkspaceName? = nil) -> JSONText {
        .object { json in
            json.add("label", label)
            json.add("role", role)
            json.add("model_provider", modelProvider)
            json.add("provider", provider)
            json.add("model", model)
            json.add("monthly_budget_usd", budget.map(JSONText.init(dollars:)))
            json.add("estimated_spend_usd", JSONText(dollars: spent))
            json.add("remaining_budget_usd", budget.map { JSONText(dollars: $0 - spent) })
            json.add("period_start", period.firstDay.start)
            json.add("period_end", period.next.firstDay.start)
            json.add("status", status.rawValue)
            if unpricedCalls > 0 { json.add("unpriced_calls", unpricedCalls) }
            guard let namespace else { return }
            json.add("agent_name", agent)
            json.add("agent_namespace", namespace.text)
        }
    }

    private var label: String {
        guard model != Self.allModels else { return "all models" }
        return role.map { "\($0): \(model)" } ?? model
    }
}

extension AgentModels.Entry {
    func isOf(_ spending: ModelSpending) -> Bool {
        isOf(provider: spending.provider, kind: spending.providerKind, model: spending.model)
    }
}
