/// Which models an agent has, for what, and what they may cost a month: read from its document.
package struct AgentModels: Hashable, Sendable {
    /// A budget is for less than what no number of calls reaches: a billion dollars.
    package static let budgetMax = MicroUSD(1_000_000_000_000_000)

    /// One of its models; for two entries of the same model and providers the first role and the lower budget count.
    package struct Entry: Hashable, Sendable {
        package let role: String?
        /// The model provider's name; `nil` stands for any.
        package let modelProvider: String?
        /// The name of a model provider, or a kind of them; `nil` stands for any.
        package let provider: String?
        package let model: String
        package fileprivate(set) var monthlyBudget: MicroUSD?
        /// The model that its name leads to as an alias, beside the models of that very name.
        private var target: ModelAliases.Target?

        init(role: String?, modelProvider: String?, provider: String?, model: String, monthlyBudget: MicroUSD?) {
            self.role = role
            self.modelProvider = modelProvider
            self.provider = provider
            self.model = model
            self.monthlyBudget = monthlyBudget
        }

        /// True when a model of that provider is this one.
        package func isOf(provider name: String, kind: String, model: String) -> Bool {
            if let target, target.provider == name, (target.model ?? self.model) == model { return true }
            return self.model == model && (modelProvider == nil || modelProvider == name)
                && (provider == nil || provider == name || provider?.lowercased() == kind)
        }

        /// The same entry, which covers the model that its name is an alias of too.
        func leading(to target: ModelAliases.Target) -> Entry {
            var entry = self
            entry.target = target
            return entry
        }
    }

    package let entries: [Entry]
    /// False when a configuration has `"journal": false`: models are then asked again in later attempts of a run.
    package let isJournaled: Bool
    /// For all its models together.
    package let monthlyBudget: MicroUSD?
    /// Of its runs.
    package let limits: RunLimitOverrides

    package init(document: JSONValue) {
        self.init(
            configurations: document["llm_configs"], single: document["spec"]?["llmConfig"],
            monthlyBudget: document["monthly_budget_usd"], limits: document["limits"])
    }

    /// - Parameter single: counts where there is no list of configurations.
    package init(
        configurations: JSONValue?, single: JSONValue?, monthlyBudget: JSONValue?, limits: JSONValue? = nil
    ) {
        var entries: [Entry] = []
        isJournaled = !Self.configurations(configurations, single).contains { $0["journal"] == .bool(false) }
        for configuration in Self.configurations(configurations, single) {
            guard let model = Self.text(configuration["model"]) else { continue }
            let entry = Entry(
                role: Self.text(configuration["role"]), modelProvider: Self.text(configuration["model_provider"]),
                provider: Self.text(configuration["provider"]), model: model,
                monthlyBudget: Self.budget(configuration["monthly_budget_usd"]))
            let same = entries.firstIndex { other in
                other.model == model && other.modelProvider == entry.modelProvider && other.provider == entry.provider
            }
            guard let same else {
                entries.append(entry)
                continue
            }
            entries[same].monthlyBudget = [entries[same].monthlyBudget, entry.monthlyBudget].compactMap(\.self).min()
        }
        self.entries = entries
        self.monthlyBudget = Self.budget(monthlyBudget)
        self.limits = RunLimitOverrides(limits)
    }

    private init(entries: [Entry], isJournaled: Bool, monthlyBudget: MicroUSD?, limits: RunLimitOverrides) {
        self.entries = entries
        self.isJournaled = isJournaled
        self.monthlyBudget = monthlyBudget
        self.limits = limits
    }

    /// The same with the budgets of a deleted agent of the name; its own ones take their place.
    package func keeping(_ earlier: AgentModels) -> AgentModels {
        guard !hasBudget else { return self }
        return AgentModels(
            entries: entries + earlier.entries.filter { $0.monthlyBudget != nil }, isJournaled: isJournaled,
            monthlyBudget: earlier.monthlyBudget, limits: limits)
    }

    func replacingEntries(_ replacement: (Entry) -> Entry) -> AgentModels {
        AgentModels(
            entries: entries.map(replacement), isJournaled: isJournaled, monthlyBudget: monthlyBudget, limits: limits)
    }

    /// Whether anything is to be compared with a budget at all.
    package var hasBudget: Bool { monthlyBudget != nil || entries.contains { $0.monthlyBudget != nil } }

    /// The entry that a call falls under: the first that fits.
    package func entry(provider: String, kind: String, model: String) -> Entry? {
        entries.first { $0.isOf(provider: provider, kind: kind, model: model) }
    }

    /// Every budget that a call falls under, and how much of it is spent.
    ///
    /// - Parameter spending: the agent's, of the month.
    package func budgets(
        provider: String, kind: String, model: String, spending: [ModelSpending]
    ) -> [BudgetStanding] {
        let ofModels = entries.compactMap { entry -> BudgetStanding? in
            guard let budget = entry.monthlyBudget, entry.isOf(provider: provider, kind: kind, model: model) else {
                return nil
            }
            return BudgetStanding(model: model, budget: budget, spent: spending.cost(of: entry))
        }
        guard let monthlyBudget else { return ofModels }
        return ofModels + [BudgetStanding(model: nil, budget: monthlyBudget, spent: spending.cost)]
    }

    /// A budget as a document says it; `nil` for what is none.
    package static func budget(_ value: JSONValue?) -> MicroUSD? {
        guard case .number(let text)? = value else { return nil }
        return MicroUSD(dollars: text, max: budgetMax)
    }

    /// The configurations of an agent's models: the list, or the single one where there is no list.
    package static func configurations(of document: JSONValue) -> [JSONValue] {
        configurations(document["llm_configs"], document["spec"]?["llmConfig"])
    }

    private static func configurations(_ list: JSONValue?, _ single: JSONValue?) -> [JSONValue] {
        list.elements.isEmpty ? [single].compactMap(\.self) : list.elements
    }

    private static func text(_ value: JSONValue?) -> String? { value?.string.flatMap { $0.isEmpty ? nil : $0 } }
}

/// What one model of one provider has cost an agent so far.
package struct ModelSpending: Hashable, Sendable {
    package let provider: String
    package let providerKind: String
    package let model: String
    package let cost: MicroUSD

    package init(provider: String, providerKind: String, model: String, cost: MicroUSD) {
        self.provider = provider
        self.providerKind = providerKind
        self.model = model
        self.cost = cost
    }
}

extension [ModelSpending] {
    package var cost: MicroUSD { reduce(.zero) { $0 + $1.cost } }

    package func cost(of entry: AgentModels.Entry) -> MicroUSD {
        filter { entry.isOf(provider: $0.provider, kind: $0.providerKind, model: $0.model) }.cost
    }
}
