/// How much of a month's budget is spent.
package struct BudgetStanding: Hashable, Sendable {
    /// In the words of the API.
    package enum Status: String, Hashable, Sendable {
        case active = "Active"
        case near = "Near budget"
        case reached = "Budget reached"
        case uncapped = "Uncapped"
    }

    /// `nil` for the budget of all models together.
    package let model: String?
    package let budget: MicroUSD
    package let spent: MicroUSD

    package init(model: String?, budget: MicroUSD, spent: MicroUSD) {
        self.model = model
        self.budget = budget
        self.spent = spent
    }

    package var status: Status { Self.status(spent: spent, of: budget) }

    /// The same, once that is spent too.
    package func adding(_ cost: MicroUSD) -> BudgetStanding {
        BudgetStanding(model: model, budget: budget, spent: spent + cost)
    }

    /// Reached is what is spent to the last millionth; from 80 % on it is near.
    package static func status(spent: MicroUSD, of budget: MicroUSD?) -> Status {
        guard let budget else { return .uncapped }
        if spent >= budget { return .reached }
        // Both are below 2^50 here: spent is less than a budget, which has a maximum.
        return spent.value * 5 >= budget.value * 4 ? .near : .active
    }
}
