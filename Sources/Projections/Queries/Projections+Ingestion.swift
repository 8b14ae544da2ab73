package import Domain
import GRDB

extension Projections {
    /// The analysis, whether or not it may still be shown.
    package func analysis(
        _ id: AnalysisID, in workspace: WorkspaceName
    ) async throws(ProjectionError) -> AnalysisRecord? {
        try lookUp { db in
            try db.first(
                "SELECT * FROM analyses WHERE id = ? AND workspace = ?", [id.column, workspace.text],
                AnalysisRecord.init)
        }
    }

    package func build(_ id: BuildID, in workspace: WorkspaceName) async throws(ProjectionError) -> BuildRecord? {
        try lookUp { db in
            try db.first(
                "SELECT * FROM builds WHERE id = ? AND workspace = ?", [id.column, workspace.text], BuildRecord.init)
        }
    }

    /// The workspace's first builds of that status, or of any, after a place.
    package func builds(
        status: BuildStatus?, by order: ListOrder<BuildField>, after place: ListPlace?, limit: Int,
        in workspace: WorkspaceName
    ) async throws(ProjectionError) -> Page<BuildRecord> {
        // Builds of one status are in the order in which they began.
        let isConstant = status != nil && order.field == .status
        let order = isConstant ? ListOrder(.createdAt, isDescending: order.isDescending) : order
        let condition = order.condition(after: place)
        var conditions = SQLConditions()
        conditions.add("workspace = ?", [workspace.text])
        conditions.add("status = ?", ifPresent: status?.rawValue)
        conditions.add(condition.sql, condition.arguments)
        let (sql, arguments) = (
            "SELECT * FROM builds WHERE \(conditions.joined) \(order.sql)", conditions.arguments
        )
        return try await query { db in
            try Page(
                db, sql: sql, arguments, limit: limit,
                sizeBytes: { 512 + $0.document.text.utf8.count + $0.log.utf8.count }, BuildRecord.init)
        }
    }

    /// What the builds of all workspaces were made of, those that did not fail.
    package func builtDocuments() async throws(ProjectionError) -> [JSONText] {
        try await query { db in
            try Row.fetchAll(db, sql: "SELECT document FROM builds WHERE status <> 'FAILED'")
                .map { JSONText(verified: try $0.column("document")) }
        }
    }
}
