/// The model aliases of a workspace: other names of models, and patterns of such names.
package struct ModelAliases: Sendable {
    /// The model that an alias leads to.
    package struct Target: Hashable, Sendable {
        /// The name of a model provider.
        package let provider: String
        /// `nil` asks the provider for the name that the caller asked for.
        package let model: String?
    }

    private var names: [ExactText: Target] = [:]
    private var patterns: [(pattern: ModelNamePattern, target: Target)] = []

    package var isEmpty: Bool { names.isEmpty && patterns.isEmpty }

    package init() {}

    /// Adds a stored alias; one without a provider is left out.
    package mutating func add(_ name: String, document: JSONValue) {
        let spec = document["spec"]
        guard let provider = spec?["provider"]?.string else { return }
        let target = Target(provider: provider, model: spec?["model"]?.string)
        let pattern = ModelNamePattern(name)
        if pattern.isName { names[ExactText(name)] = target } else { patterns.append((pattern, target)) }
    }

    /// The model that a name leads to: by the alias of that very name, else, for a name that no provider lists, by the
    /// best pattern.
    package func target(of name: String, isListed: Bool) -> Target? {
        if let target = names[ExactText(name)] { return target }
        guard !isListed else { return nil }
        return ModelNamePattern.best(for: name, of: patterns.lazy.map(\.pattern)).flatMap { best in
            patterns.first { $0.pattern.text.isExactly(best.text) }?.target
        }
    }
}

extension AgentModels {
    /// The same with the models that its entries lead to, so that budgets count what is really called.
    ///
    /// - Parameter listed: the models that the workspace's providers list.
    package func resolved(by aliases: ModelAliases, listed: Set<String>) -> AgentModels {
        guard !aliases.isEmpty else { return self }
        return replacingEntries { entry in
            let target = aliases.target(of: entry.model, isListed: listed.contains(entry.model))
            guard let target, entry.modelProvider == nil || entry.modelProvider == target.provider else { return entry }
            return entry.leading(to: target)
        }
    }
}
