package import Domain
package import Projections
import Synchronization

/// The limits of workspaces as they were read, for as long as no document is stored or deleted. Bounded: beyond
/// `workspacesMax` it begins anew.
package final class ModelLimitsCache: Sendable {
    /// Limits are settings of a workspace; their names begin with this.
    package static let settingsPrefix = "model-limit:"
    private static let workspacesMax = 1_000

    private let projections: Projections
    /// With how many changes of documents there had been before they were read.
    private let kept = Mutex((changes: UInt64(0), workspaces: [WorkspaceName: [ModelLimit]]()))

    package init(_ projections: Projections) { self.projections = projections }

    /// The limits as every acknowledged change has left them, by name.
    func limits(in workspace: WorkspaceName) async throws(ProjectionError) -> [ModelLimit] {
        let changes = projections.resourceChanges
        if let limits = kept.withLock({ $0.changes == changes ? $0.workspaces[workspace] : nil }) { return limits }
        let records = try await projections.resources(.settings, in: workspace)
        let limits = records.compactMap { record in Self.limit(record.name, record.document.value) }
        kept.withLock { kept in
            guard changes >= kept.changes else { return }
            if changes > kept.changes || kept.workspaces.count >= Self.workspacesMax { kept.workspaces.removeAll() }
            kept.changes = changes
            kept.workspaces[workspace] = limits
        }
        return limits
    }

    private static func limit(_ name: String, _ document: JSONValue) -> ModelLimit? {
        guard name.hasPrefix(settingsPrefix) else { return nil }
        return try? ModelLimit(name: String(name.dropFirst(settingsPrefix.count)), spec: document["spec"] ?? .null)
    }
}
