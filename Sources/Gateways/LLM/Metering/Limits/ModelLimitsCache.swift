package import Domain
package import Projections

/// The limits of workspaces.
package final class ModelLimitsCache: Sendable {
    /// Limits are settings of a workspace; their names begin with this.
    package static let settingsPrefix = "model-limit:"
    private static let workspacesMax = 1_000

    private let projections: Projections
    private let cache: DocumentCache<WorkspaceName, [ModelLimit]>

    package init(_ projections: Projections) {
        self.projections = projections
        cache = DocumentCache(projections, countMax: Self.workspacesMax)
    }

    /// The limits as every acknowledged change has left them, by name.
    func limits(in workspace: WorkspaceName) async throws(ProjectionError) -> [ModelLimit] {
        try await cache.value(of: workspace) { () async throws(ProjectionError) in
            try await projections.resources(.settings, in: workspace).compactMap { record in
                Self.limit(record.name, record.document.value)
            }
        }
    }

    private static func limit(_ name: String, _ document: JSONValue) -> ModelLimit? {
        guard name.hasPrefix(settingsPrefix) else { return nil }
        return try? ModelLimit(name: String(name.dropFirst(settingsPrefix.count)), spec: document["spec"] ?? .null)
    }
}
