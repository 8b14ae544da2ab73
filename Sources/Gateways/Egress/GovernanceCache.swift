import Domain
import Governance
import Projections
import Synchronization

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

/// Keeps documents as they were read, for as long as none is stored or deleted: an agent calls the same tools again and
/// again. Bounded: beyond `pairsMax` it begins anew.
final class GovernanceCache: Sendable {
    static let pairsMax = 1_000

    private struct Key: Hashable {
        let workspace: WorkspaceName
        let agent: ExactText
        let tool: ExactText
    }

    private struct Kept {
        /// How many changes of documents there had been before the pair was read.
        var changes: UInt64
        var pairs: [Key: GovernedPair]
    }

    private let projections: Projections
    private let kept: Mutex<Kept>

    init(_ projections: Projections) {
        self.projections = projections
        kept = Mutex(Kept(changes: 0, pairs: [:]))
    }

    /// The documents as every change that was acknowledged has left them.
    ///
    /// - Throws: `InvalidDocument` when the tool's cannot be read.
    func pair(agent: String, tool: String, in workspace: WorkspaceName) async throws -> GovernedPair {
        let key = Key(workspace: workspace, agent: ExactText(agent), tool: ExactText(tool))
        // Asked before anything is read: what changes while it is read is read again by the next call.
        let changes = projections.resourceChanges
        if let pair = kept.withLock({ $0.changes == changes ? $0.pairs[key] : nil }) { return pair }
        let pair = try await read(key)
        kept.withLock { kept in
            guard changes >= kept.changes else { return }
            if changes > kept.changes || kept.pairs.count >= Self.pairsMax { kept.pairs.removeAll() }
            kept.changes = changes
            kept.pairs[key] = pair
        }
        return pair
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
