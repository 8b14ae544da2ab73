import Domain
import Governance
import Projections

/// What decides over the calls of one agent to one tool, as it was stored.
struct GovernedPair: Sendable {
    let agent: GovernedAgent
    /// `nil` when there is none of that name.
    let tool: GovernedTool?
    /// The tool's id; `nil` with `tool`.
    let toolID: ResourceID?
    /// The tool's own document.
    let document: JSONValue
    let policies: [BoundPolicy]

    /// The tool that approvals of its calls are bound to; `nil` with `tool`.
    var identity: ToolIdentity? {
        guard let tool, let toolID else { return nil }
        return ToolIdentity(id: toolID, origin: tool.baseURL.origin)
    }
}

/// Keeps the documents of agents and tools: an agent calls the same tools again and again.
final class GovernanceCache: Sendable {
    static let pairsMax = 1_000

    private struct Key: Hashable {
        let workspace: WorkspaceName
        let agent: ExactText
        let tool: ExactText
    }

    private let projections: Projections
    private let cache: DocumentCache<Key, GovernedPair>

    init(_ projections: Projections) {
        self.projections = projections
        cache = DocumentCache(projections, countMax: Self.pairsMax)
    }

    /// The documents as every acknowledged change has left them.
    ///
    /// - Throws: `InvalidDocument` when the tool's cannot be read.
    func pair(agent: String, tool: String, in workspace: WorkspaceName) async throws -> GovernedPair {
        let key = Key(workspace: workspace, agent: ExactText(agent), tool: ExactText(tool))
        return try await cache.value(of: key) { try await read(key) }
    }

    private func read(_ key: Key) async throws -> GovernedPair {
        let record = try await projections.resource(.tool, named: key.tool.text, in: key.workspace)
        let document = record?.document.value ?? .null
        let agent = try await projections.governedAgent(key.agent.text, in: key.workspace)
        return GovernedPair(
            agent: agent, tool: try record.map { try GovernedTool(name: $0.name, document: document) },
            toolID: record?.id, document: document,
            policies: try await projections.boundPolicies(of: agent, in: key.workspace))
    }
}
