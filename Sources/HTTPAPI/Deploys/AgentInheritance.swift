package import Domain

/// The members of an agent that stay when a deploy or a rollback does not name them.
package struct AgentInheritance: Sendable {
    /// The members that stay unless a deploy names them: those that govern the agent, and its environment.
    static let members = documentMembers + specMembers.map(\.name) + [modelsMember]
    private static let documentMembers = [
        "policies", "tool_url_mappings", "monthly_budget_usd", "identity_provider", "limits",
    ]
    /// By their names in a deploy, with those in the document's `spec`.
    private static let specMembers = [
        (name: "required_tools", inSpec: "requiredTools"), (name: "isolation", inSpec: "isolation"),
        (name: "env", inSpec: "env"),
    ]
    private static let modelsMember = "llm_configs"
    /// The members that stay unless a rollback names them: what governs the agent is not a matter of its version.
    static let governance: Set = ["policies", "monthly_budget_usd", "identity_provider", "limits"]

    private let staying: Set<String>
    /// True when the models' budgets are those of now, also where the new document has others.
    private let prefersOwnBudgets: Bool

    /// - Parameter body: a deploy. It names a member by having it, also with `null`.
    init(ofDeploy body: JSONValue) {
        staying = Set(Self.members(stayingAfter: body))
        prefersOwnBudgets = false
    }

    /// - Parameter body: a rollback.
    init(ofRollback body: JSONValue) {
        staying = Self.governance.filter { body[$0] == nil }
        prefersOwnBudgets = true
    }

    /// The members that stay after a deploy.
    package static func members(stayingAfter deploy: JSONValue) -> [String] {
        members.filter { deploy[$0] == nil && !($0 == modelsMember && deploy["llm_config"] != nil) }
    }

    /// True when the agent keeps its environment and the secrets in it.
    var keepsEnvironment: Bool { staying.contains("env") || prefersOwnBudgets }

    /// The new document with the members that stay.
    ///
    /// - Parameter current: the agent's document now.
    func applied(to document: JSONValue, from current: JSONValue) -> JSONValue {
        var (document, spec) = (document, document["spec"] ?? .object([]))
        for name in Self.documentMembers where staying.contains(name) { document.set(name, current[name]) }
        for (name, inSpec) in Self.specMembers where staying.contains(name) {
            spec.set(inSpec, current["spec"]?[inSpec])
        }
        if staying.contains(Self.modelsMember) {
            document.set(Self.modelsMember, current[Self.modelsMember])
            spec.set("llmConfig", current["spec"]?["llmConfig"])
        } else {
            keepBudgets(of: current, in: &document, &spec)
        }
        document.set("spec", spec)
        return document
    }

    /// A model that the agent had before keeps its budget, unless the new entry of it names one.
    private func keepBudgets(of current: JSONValue, in document: inout JSONValue, _ spec: inout JSONValue) {
        let known = AgentModels.configurations(of: current)
        if case .array(let configurations)? = document["llm_configs"] {
            document.set("llm_configs", .array(configurations.map { withBudget($0, known) }))
        }
        if let single = spec["llmConfig"] { spec.set("llmConfig", withBudget(single, known)) }
    }

    private func withBudget(_ configuration: JSONValue, _ known: [JSONValue]) -> JSONValue {
        guard prefersOwnBudgets || configuration["monthly_budget_usd"] == nil,
            let same = known.first(where: { Self.isSame($0, configuration) })
        else { return configuration }
        var kept = configuration
        kept.set("monthly_budget_usd", same["monthly_budget_usd"])
        return kept
    }

    private static func isSame(_ one: JSONValue, _ other: JSONValue) -> Bool {
        ["model", "model_provider", "provider"].allSatisfy { one[$0]?.string == other[$0]?.string }
    }
}
