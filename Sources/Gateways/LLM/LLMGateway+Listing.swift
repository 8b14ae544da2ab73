package import Domain
package import Projections

extension LLMGateway {
    /// A model that can be asked for.
    package struct ListedModel: Hashable, Sendable {
        package let id: String
        package let provider: String
    }

    /// The models of a workspace, by name, each with the provider that answers for it.
    ///
    /// - Parameters:
    ///   - provider: the one whose models are asked for; `nil` for all.
    ///   - projections: the read models that know the providers.
    /// - Throws: `ProjectionError` when the providers cannot be looked up at the moment.
    package func models(
        in workspace: WorkspaceName, of provider: String?, from projections: Projections
    ) async throws -> [ListedModel] {
        let providers = try await Self.providers(in: workspace, from: projections).filter {
            provider == nil || $0.name == provider
        }
        return Set(providers.flatMap(\.models)).sorted().compactMap { model in
            ModelProvider.choice(for: model, named: nil, of: providers).map {
                ListedModel(id: model, provider: $0.name)
            }
        }
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
