package import Domain
package import Governance
package import Projections

extension Projections {
    /// The policies that an agent's deploy names, as they are now; one that is missing or unreadable says so.
    package func boundPolicies(
        of agent: GovernedAgent, in workspace: WorkspaceName
    ) async throws(ProjectionError) -> [BoundPolicy] {
        var found: [BoundPolicy] = []
        for name in agent.policyNames {
            let record = try await resource(.policy, named: name, in: workspace)
            found.append(BoundPolicy(name: name, document: record?.document))
        }
        return found
    }
}
