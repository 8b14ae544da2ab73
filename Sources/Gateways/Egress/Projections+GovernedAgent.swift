package import Domain
package import Governance
package import Projections

extension Projections {
    /// The policies of the agent's newest revision, and the tools of that and of the revision that serves. Without a deploy
    /// nothing is bound, and nothing is granted that needs a binding.
    package func governedAgent(_ name: String, in workspace: WorkspaceName) async throws -> GovernedAgent {
        let record = try await resource(.agent, named: name, in: workspace)
        let agent = GovernedAgent(name: name, document: record?.document.value ?? .null)
        guard let record, let serving = record.servingRevision, serving != record.revision,
            let version = try await agentVersion(serving, of: record.id)
        else { return agent }
        let earlier = GovernedAgent(name: name, document: version.document.value)
        return GovernedAgent(
            name: name, requiredTools: Array(agent.requiredTools.union(earlier.requiredTools)),
            policyNames: agent.policyNames, limits: agent.limits)
    }
}
