import Catalog
import CommandHandling
import Domain
import HTTPTypes
import Projections

/// The policies of agents of the catalog, which come with their deploys.
extension APIHandlers {
    /// Stores the policies of the catalog that a deploy of one of its agents names and that the workspace does not have.
    ///
    /// Clients deploy from the catalog by sending an entry's sources and the names of its policies; a policy that is
    /// missing would deny every call.
    ///
    /// - Parameter resources: what the deploy stores, checked before anything is seeded.
    /// - Returns: the names of the policies that were stored.
    func seedPolicies(
        for order: DeployOrder, _ resources: ResourcesToStore, _ request: APIRequest
    ) async throws -> [String] {
        let document = order.agent.value
        let named = document["policies"].strings
        guard !named.isEmpty, let agent = PublishedAgents.all.agent(of: document["source_files"]) else { return [] }
        var missing: [ResourcesToStore.Item] = []
        for item in try Self.policies(of: agent) where named.contains(item.name) {
            guard try await projections.resource(.policy, named: item.name, in: request.workspace) == nil else {
                continue
            }
            missing.append(item)
        }
        guard !missing.isEmpty else { return [] }
        try await check(resources, request)
        let seeds = ResourcesToStore(missing, keepsExisting: true)
        return try await execute(seeds, request.with(body: request.body, idempotency: nil)).stored.map(\.name)
    }

    /// The policies of an agent of the catalog, to be stored.
    static func policies(of agent: PublishedAgent) throws -> [ResourcesToStore.Item] {
        try agent.policies.map { policy in
            try item(
                .policy,
                .object([
                    .init(name: "name", value: .string(policy.name)), .init(name: "spec", value: policy.value),
                ]))
        }
    }
}

extension PublishedAgents {
    /// The agent that has these very sources.
    fileprivate func agent(of sources: JSONValue?) -> PublishedAgent? {
        guard case .object(let files)? = sources else { return nil }
        return versions.first { $0.sources.count == files.count && Set($0.sources) == Set(files) }
    }
}
