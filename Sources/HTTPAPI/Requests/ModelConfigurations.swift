import Domain

/// The models of an agent, as a deploy or a change of its configuration brings them.
enum ModelConfigurations {
    static let countMax = 100

    /// Checks `llm_configs`: what could not be read later, a budget above all, is refused now.
    static func check(_ body: JSONValue) throws(APIError) {
        let values = try body.array("llm_configs") ?? []
        guard values.count <= countMax else { throw .badRequest("llm_configs has more than \(countMax) entries") }
        for (index, value) in values.enumerated() { try check(value, "llm_configs[\(index)]") }
        if let single = try body.object("llm_config") { try check(single, "llm_config") }
        try checkBudget(body, "monthly_budget_usd")
    }

    private static func check(_ value: JSONValue, _ field: String) throws(APIError) {
        guard case .object = value else { throw .badRequest("\(field) must be an object") }
        do throws(APIError) {
            for name in ["role", "provider", "model_provider", "model"] { _ = try value.text(name) }
        } catch {
            throw .badRequest("\(field).\(error.message)")
        }
        switch value["journal"] {
        case nil, .null?, .bool?: break
        default: throw .badRequest("\(field).journal must be true or false")
        }
        try checkBudget(value, "\(field).monthly_budget_usd")
    }

    private static func checkBudget(_ value: JSONValue, _ field: String) throws(APIError) {
        guard let budget = value["monthly_budget_usd"], budget != .null else { return }
        guard AgentModels.budget(budget) != nil else {
            throw .badRequest("\(field) must be a number of dollars from 0 to \(AgentModels.budgetMax)")
        }
    }
}
