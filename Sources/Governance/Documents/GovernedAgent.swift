package import Domain

/// What governance has to know of an agent: the tools and policies that its deploy named.
package struct GovernedAgent: Hashable, Sendable {
    package let name: String
    package let requiredTools: Set<String>
    /// Sorted, each once.
    package let policyNames: [String]
    /// Limits of its runs.
    package let limits: RunLimitOverrides

    package init(
        name: String, requiredTools: [String], policyNames: [String], limits: RunLimitOverrides = RunLimitOverrides()
    ) {
        self.name = name
        self.requiredTools = Set(requiredTools)
        self.policyNames = Set(policyNames).sorted()
        self.limits = limits
    }

    /// Reads a stored document. It was checked when it came; what does not fit now binds nothing and grants nothing.
    package init(name: String, document: JSONValue) {
        var tools: [String] = []
        if case .array(let values)? = document["spec"]?["requiredTools"] {
            tools = values.compactMap { $0["name"]?.string }
        }
        var policies: [String] = []
        if case .array(let values)? = document["policies"] { policies = values.compactMap(\.string) }
        self.init(
            name: name, requiredTools: tools, policyNames: policies, limits: RunLimitOverrides(document["limits"]))
    }
}
