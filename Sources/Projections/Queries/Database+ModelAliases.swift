import Domain
import GRDB

extension Database {
    /// The model aliases of a workspace, and, where there are some, the models that its providers list.
    func modelAliases(in workspace: WorkspaceName) throws -> (all: ModelAliases, listed: Set<String>) {
        var aliases = ModelAliases()
        for (name, document) in try documents(.modelAlias, workspace) { aliases.add(name, document: document) }
        guard !aliases.isEmpty else { return (aliases, []) }
        let listed = try documents(.modelProvider, workspace).flatMap { ($0.document["spec"]?["models"]).strings }
        return (aliases, Set(listed))
    }

    private func documents(
        _ kind: ResourceKind, _ workspace: WorkspaceName
    ) throws -> [(name: String, document: JSONValue)] {
        let sql = "SELECT name, document FROM resources WHERE workspace = ? AND kind = ? ORDER BY name"
        return try Row.fetchAll(self, sql: sql, arguments: [workspace.text, kind.rawValue]).map { row in
            (try row.column("name"), JSONText(verified: try row.column("document")).value)
        }
    }
}
