package import Domain
import GRDB

extension Projections {
    /// The workspace's stops in force, by kind and name.
    package func controls(in workspace: WorkspaceName) async throws(ProjectionError) -> [ControlRecord] {
        try await query { db in
            try Row.fetchAll(
                db, sql: "SELECT * FROM controls WHERE workspace = ? ORDER BY kind, name", arguments: [workspace.text]
            ).map(ControlRecord.init)
        }
    }
}
