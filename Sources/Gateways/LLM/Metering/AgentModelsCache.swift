import Domain
import Projections

/// The models and budgets of agents.
final class AgentModelsCache: Sendable {
    private static let agentsMax = 1_000

    private let projections: Projections
    private let cache: DocumentCache<ResourceKey, AgentModels>

    init(_ projections: Projections) {
        self.projections = projections
        cache = DocumentCache(projections, countMax: Self.agentsMax)
    }

    /// The models and budgets as every acknowledged change has left them.
    func models(of agent: String, _ workspace: WorkspaceName) throws(ProjectionError) -> AgentModels {
        let key = ResourceKey(workspace: workspace, kind: .agent, name: agent)
        return try cache.value(of: key) { () throws(ProjectionError) in
            try projections.agentModels(agent, workspace)
        }
    }
}
