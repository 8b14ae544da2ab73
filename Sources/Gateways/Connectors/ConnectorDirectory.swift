package import Domain
package import Projections
package import Secrets

/// The workspace's connectors and their defaults, as they are stored now.
package struct ConnectorDirectory: Sendable {
    private let projections: Projections
    private let vault: SecretVault

    package init(projections: Projections, vault: SecretVault) {
        self.projections = projections
        self.vault = vault
    }

    package func defaults(in workspace: WorkspaceName) async throws -> ConnectorDefaults {
        let name = ApprovalConnector.defaultsName
        return try await projections.resource(.approvalConnector, named: name, in: workspace).map {
            ConnectorDefaults($0.document.value)
        } ?? ConnectorDefaults()
    }

    package func connector(_ id: String, in workspace: WorkspaceName) async throws -> ApprovalConnector? {
        guard id != ApprovalConnector.defaultsName,
            let record = try await projections.resource(.approvalConnector, named: id, in: workspace)
        else { return nil }
        return try connector(record, try await defaults(in: workspace))
    }

    /// Those that the names or ids mean, in that order, each once; all when there are none. Only what is enabled.
    package func connectors(
        named names: [String]?, in workspace: WorkspaceName
    ) async throws -> [ApprovalConnector] {
        let defaults = try await defaults(in: workspace)
        let records = try await projections.resources(.approvalConnector, in: workspace).filter {
            $0.name != ApprovalConnector.defaultsName && $0.document.value["enabled"] != .bool(false)
        }
        guard let names else { return try records.compactMap { try connector($0, defaults) } }
        var found: [ApprovalConnector] = []
        for name in names {
            let meant = records.filter { $0.name == name || $0.document.value["name"]?.string == name }
            for record in meant where !found.contains(where: { $0.id == record.name }) {
                if let connector = try connector(record, defaults) { found.append(connector) }
            }
        }
        return found
    }

    /// The sealed part; `nil` when its key is gone.
    package func connection(of id: String, in workspace: WorkspaceName) throws -> ConnectorConnection? {
        let reference = SecretReference(
            owner: ResourceKey(workspace: workspace, kind: .approvalConnector, name: id),
            name: ConnectorConnection.secretName)
        guard let record = try projections.secret(reference) else { return nil }
        return ConnectorConnection(try JSONValue(parsing: try vault.open(record.sealed, of: reference)))
    }

    private func connector(
        _ record: ResourceRecord, _ defaults: ConnectorDefaults
    ) throws -> ApprovalConnector? {
        guard let connection = try connection(of: record.name, in: record.workspace) else { return nil }
        return ApprovalConnector(
            id: record.name, document: record.document.value, connection: connection,
            timeoutSecondsDefault: defaults.timeoutSeconds)
    }
}
