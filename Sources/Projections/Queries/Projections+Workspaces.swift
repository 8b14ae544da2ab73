package import Domain
import GRDB

/// The workspaces of entities whose ids are unique among all workspaces.
extension Projections {
    /// The run's workspace; `nil` when there is no such run.
    package func workspace(ofRun id: RunID) throws(ProjectionError) -> WorkspaceName? {
        try workspace("SELECT workspace FROM runs WHERE id = ?", id)
    }

    /// The access request's workspace; `nil` when there is no such request.
    package func workspace(ofAccessRequest id: AccessRequestID) throws(ProjectionError) -> WorkspaceName? {
        try workspace("SELECT workspace FROM access_requests WHERE id = ?", id)
    }

    /// The build's workspace; `nil` when there is no such build.
    package func workspace(ofBuild id: BuildID) throws(ProjectionError) -> WorkspaceName? {
        try workspace("SELECT workspace FROM builds WHERE id = ?", id)
    }

    /// The analysis' workspace; `nil` when there is no such analysis.
    package func workspace(ofAnalysis id: AnalysisID) throws(ProjectionError) -> WorkspaceName? {
        try workspace("SELECT workspace FROM analyses WHERE id = ?", id)
    }

    private func workspace<Entity>(
        _ sql: String, _ id: Identifier<Entity>
    ) throws(ProjectionError) -> WorkspaceName? {
        try lookUp { db in try db.first(sql, [id.column]) { try $0.workspace() } }
    }
}
