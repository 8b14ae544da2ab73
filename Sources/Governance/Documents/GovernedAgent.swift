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
        self.init(
            name: name, requiredTools: (document["spec"]?["requiredTools"]).elements.compactMap { $0["name"]?.string },
            policyNames: document["policies"].strings,
            limits: RunLimitOverrides(document["limits"]))
    }
}
