package import Domain
package import Projections

extension LLMGateway {
    /// A model that can be asked for.
    package struct ListedModel: Hashable, Sendable {
        package let id: String
        package let provider: String
        /// The time since when its provider, or its alias, is registered.
        package let createdAt: Timestamp
    }

    /// The models of a workspace and the aliases that are names, in the order of their bytes, each with the provider that
    /// answers for it.
    ///
    /// - Parameters:
    ///   - provider: the one whose models are asked for; `nil` for all.
    ///   - projections: the read models that know the providers.
    /// - Throws: `ProjectionError` when the providers cannot be looked up at the moment.
    package func models(
        in workspace: WorkspaceName, of provider: String?, from projections: Projections
    ) async throws -> [ListedModel] {
        let directory = try await ModelDirectory(in: workspace, from: projections)
        let aliases = Dictionary(directory.aliasNames.map { ($0.name, $0.createdAt) }) { first, _ in first }
        let names = Set(directory.providers.flatMap(\.models)).union(aliases.keys)
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.compactMap { name in
            directory.listed(name, of: provider, since: aliases[name])
        }
    }

    /// One model that can be asked for, by its name, an alias of it, or a name that a pattern matches; `nil` when there is
    /// none.
    package func model(
        _ name: String, in workspace: WorkspaceName, of provider: String?, from projections: Projections
    ) async throws -> ListedModel? {
        let directory = try await ModelDirectory(in: workspace, from: projections)
        let alias = directory.aliasNames.first { $0.name.isExactly(name) }
        return directory.listed(name, of: provider, since: alias?.createdAt)
    }

    /// Tells for the name of a model whether a call of it finds a provider, as the providers and aliases are now.
    ///
    /// - Throws: `ProjectionError` when the providers cannot be looked up at the moment.
    package func providesModel(
        in workspace: WorkspaceName, from projections: Projections
    ) async throws -> @Sendable (String) -> Bool {
        let directory = try await ModelDirectory(in: workspace, from: projections)
        return { directory.route($0, named: nil) != nil }
    }

    /// Asks a provider, with its credentials, for what costs nothing.
    ///
    /// - Returns: why it cannot be used; `nil` when it answers.
    package func probe(_ name: String, _ document: JSONValue, in workspace: WorkspaceName) async -> String? {
        let provider = ModelProvider(name: name, document: document)
        let path: String
        switch provider.format.probe {
        case .path(let free): path = free
        case .needless: return nil
        case .impossible(let reason): return reason
        }
        do throws(ModelCallFailure) {
            _ = try await send(
                Sending(
                    method: "GET", path: path, headers: provider.format.headers, body: []),
                to: provider, in: workspace)
            return nil
        } catch {
            return error.reason
        }
    }
}

extension ModelDirectory {
    fileprivate func listed(_ name: String, of provider: String?, since time: Timestamp?) -> LLMGateway.ListedModel? {
        route(name, named: provider).map { route in
            LLMGateway.ListedModel(
                id: name, provider: route.provider.name,
                createdAt: time ?? createdAt[route.provider.name] ?? Timestamp(microseconds: 0))
        }
    }
}
