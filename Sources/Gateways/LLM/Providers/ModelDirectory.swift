import Domain
import Projections

/// The model providers and model aliases of a workspace: which provider a name of a model leads to.
struct ModelDirectory: Sendable {
    /// A provider, and the model that it is asked for.
    struct Route: Sendable {
        let provider: ModelProvider
        let model: String
    }

    let providers: [ModelProvider]
    /// The aliases that are names, with the time since when each exists.
    let aliasNames: [(name: String, createdAt: Timestamp)]
    let createdAt: [String: Timestamp]
    private let aliases: ModelAliases

    init(in workspace: WorkspaceName, from projections: Projections) async throws {
        let stored = try await projections.resources(.modelProvider, in: workspace)
        providers = stored.map { ModelProvider(name: $0.name, document: $0.document.value) }
        createdAt = Dictionary(stored.map { ($0.name, $0.createdAt) }) { first, _ in first }
        let records = try await projections.resources(.modelAlias, in: workspace)
        var aliases = ModelAliases()
        for record in records { aliases.add(record.name, document: record.document.value) }
        self.aliases = aliases
        aliasNames = records.filter { ModelNamePattern($0.name).isName }.map { ($0.name, $0.createdAt) }
    }

    /// The provider and the model for a name: by the alias of that name, else the first provider that lists it, else by
    /// the best pattern.
    ///
    /// - Parameter name: the provider that the address names; an alias that leads to another one does not count there.
    func route(_ model: String, named name: String?) -> Route? {
        let listing = ModelProvider.choice(for: model, named: name, of: providers)
        let target = aliases.target(of: model, isListed: listing != nil)
        if let target, name == nil || name == target.provider {
            return providers.first { $0.name == target.provider }.map {
                Route(provider: $0, model: target.model ?? model)
            }
        }
        return listing.map { Route(provider: $0, model: model) }
    }

    /// The reason why a name leads to no model.
    func reason(against model: String) -> String {
        let isListed = providers.contains { $0.models.contains(model) }
        if let target = aliases.target(of: model, isListed: isListed),
            !providers.contains(where: { $0.name == target.provider })
        {
            return "model \"\(model.excerpt)\" is an alias for a model of provider \"\(target.provider.excerpt)\", "
                + "which is not registered"
        }
        return "no provider found for model \"\(model.excerpt)\""
    }
}
