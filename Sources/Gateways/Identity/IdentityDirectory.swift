import Domain
import Projections
import Synchronization

/// Keeps the identity providers of workspaces, and which of them each agent asks for, as they were stored, for as long
/// as no resource is stored or deleted: every token asks for them.
final class IdentityDirectory: Sendable {
    /// Providers and agents together; beyond that it begins anew.
    static let entriesMax = 10_000

    private struct AgentKey: Hashable {
        let workspace: WorkspaceName
        let name: String
    }

    private struct Kept {
        /// How many changes of documents there had been before these were read.
        var changes: UInt64
        var providers: [WorkspaceName: [IdentityProvider]] = [:]
        var required: [AgentKey: String?] = [:]
        var count = 0
    }

    private let projections: Projections
    private let kept: Mutex<Kept>

    init(_ projections: Projections) {
        self.projections = projections
        kept = Mutex(Kept(changes: 0))
    }

    /// The workspace's providers, by name.
    func providers(in workspace: WorkspaceName) async throws(ProjectionError) -> [IdentityProvider] {
        // Asked before anything is read: what changes while it is read is read again by the next request.
        let changes = projections.resourceChanges
        let found = kept.withLock { $0.changes == changes ? $0.providers[workspace] : nil }
        if let found { return found }
        let providers = try await projections.resources(.identityProvider, in: workspace).compactMap { record in
            IdentityProvider(name: record.name, document: record.document.value, in: workspace)
        }
        keep(readAfter: changes, entries: providers.count + 1) { $0.providers[workspace] = providers }
        return providers
    }

    /// The provider whose people alone may invoke the agent; `nil` when it asks for none.
    func provider(requiredBy agent: String, in workspace: WorkspaceName) async throws(ProjectionError) -> String? {
        let key = AgentKey(workspace: workspace, name: agent)
        let changes = projections.resourceChanges
        let found = kept.withLock { $0.changes == changes ? $0.required[key] : nil }
        if let found { return found }
        let document = try await projections.resource(.agent, named: agent, in: workspace)?.document.value
        let required = document?["identity_provider"].flatMap(Self.name)
        keep(readAfter: changes, entries: 1) { $0.required[key] = .some(required) }
        return required
    }

    /// What an older version may have stored and is no name asks for a provider that nobody can be proven by.
    private static func name(_ value: JSONValue) -> String? {
        switch value {
        case .null, .string(""): nil
        case .string(let name): name
        case .bool, .number, .array, .object: value.text.text
        }
    }

    private func keep(readAfter changes: UInt64, entries: Int, _ change: (inout Kept) -> Void) {
        kept.withLock { kept in
            guard changes >= kept.changes, entries <= Self.entriesMax else { return }
            if changes > kept.changes || kept.count + entries > Self.entriesMax { kept = Kept(changes: changes) }
            kept.count += entries
            change(&kept)
        }
    }
}
