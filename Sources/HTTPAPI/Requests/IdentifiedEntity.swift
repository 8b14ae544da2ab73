import Domain
import Hummingbird
import Projections

/// An entity that a request names by an id that no other workspace has.
///
/// A client that creates a run in another workspace names the run by its id alone afterwards. Such an id implies its
/// workspace, for a key that may choose the workspace anyway.
enum IdentifiedEntity: Hashable, Sendable {
    case run, accessRequest, build, analysis
    /// The run that the body's `run_id` names.
    case runInBody

    /// - Parameter path: A route's path, without the prefix of its era; `nil` for a path without such an id.
    init?(path: String) {
        let parts = path.split(separator: "/")
        switch (parts.first, parts.dropFirst().first) {
        case ("runs", ":id"): self = .run
        case ("governance", "requests"), ("approvals", "requests"):
            self = parts.dropFirst(2).first == ":id" ? .accessRequest : .runInBody
        case ("builds", ":id"): self = .build
        case ("analysis", ":id"): self = .analysis
        default: return nil
        }
    }
}

extension APIHandlers {
    /// The workspace of the entity that a request names; `nil` when there is no such entity.
    func workspace(
        of entity: IdentifiedEntity, _ context: APIContext, _ body: JSONValue
    ) throws(ProjectionError) -> WorkspaceName? {
        let text = entity == .runInBody ? body["run_id"]?.string : context.parameters.get("id")
        guard let text else { return nil }
        func id(after prefix: String) -> String { text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : "" }
        switch entity {
        case .run, .runInBody: return try RunID(text).flatMap(projections.workspace(ofRun:))
        case .accessRequest: return try AccessRequestID(text).flatMap(projections.workspace(ofAccessRequest:))
        case .build: return try BuildID(id(after: Self.buildIDPrefix)).flatMap(projections.workspace(ofBuild:))
        case .analysis:
            return try AnalysisID(id(after: Self.analysisIDPrefix)).flatMap(projections.workspace(ofAnalysis:))
        }
    }
}
