import Domain
import Projections
import Synchronization

/// The models and budgets of agents as they were read, for as long as no document is stored or deleted. Bounded: beyond
/// `agentsMax` it begins anew.
final class AgentModelsCache: Sendable {
    static let agentsMax = 1_000

    private struct Key: Hashable {
        let workspace: WorkspaceName
        let agent: String
    }

    private let projections: Projections
    /// With how many changes of documents there had been before they were read.
    private let kept = Mutex((changes: UInt64(0), agents: [Key: AgentModels]()))

    init(_ projections: Projections) { self.projections = projections }

    /// As every change that was acknowledged has left them.
    func models(of agent: String, _ workspace: WorkspaceName) throws(ProjectionError) -> AgentModels {
        let key = Key(workspace: workspace, agent: agent)
        // Asked before anything is read: what changes while it is read is read again by the next call.
        let changes = projections.resourceChanges
        if let models = kept.withLock({ $0.changes == changes ? $0.agents[key] : nil }) { return models }
        let models = try projections.agentModels(agent, workspace)
        kept.withLock { kept in
            guard changes >= kept.changes else { return }
            if changes > kept.changes || kept.agents.count >= Self.agentsMax { kept.agents.removeAll() }
            kept.changes = changes
            kept.agents[key] = models
        }
        return models
    }
}
