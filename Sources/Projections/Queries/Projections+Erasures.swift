package import Domain
import GRDB

extension Projections {
    package func erasure(_ id: PersonID, in workspace: WorkspaceName) async throws(ProjectionError) -> ErasureRecord? {
        try lookUp { db in
            try db.first(
                "SELECT * FROM erasures WHERE id = ? AND workspace = ?", [id.column, workspace.text],
                ErasureRecord.init)
        }
    }

    /// The workspace's erasures, newest first, those before a position.
    package func erasures(
        before position: Position?, limit: Int, in workspace: WorkspaceName
    ) async throws(ProjectionError) -> Page<ErasureRecord> {
        try await query { db in
            try Page(
                db, sql: "SELECT * FROM erasures WHERE workspace = ? AND position < ? ORDER BY position DESC",
                [workspace.text, position.map { Int64(clamping: $0.value) } ?? Int64.max], limit: limit,
                sizeBytes: { 256 + $0.requestedBy.utf8.count }, ErasureRecord.init)
        }
    }
}
