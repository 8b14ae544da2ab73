import Domain
import Ingestion
import Projections

/// The start of an agent, found in its sources where its deploy does not name it: by the analyzer that answers `/analyze`,
/// before it is stored.
extension APIHandlers {
    /// The deploy of a body, checked, with what an analysis finds of its sources; and what it has of a build.
    ///
    /// - Parameter inheritance: what an agent of that name keeps; by default, what the body does not name.
    func order(
        _ request: APIRequest, keeping inheritance: AgentInheritance? = nil
    ) async throws -> (order: DeployOrder, artifact: Artifact?) {
        let (body, artifact) = try await withArtifact(request)
        var order = try DeployOrder(body, keeping: inheritance)
        try await checkIdentityProvider(request.with(body: body, idempotency: nil))
        if let artifact {
            order.found = FoundStart(artifact.build.document.value[FoundStart.member])
        } else if let sources = body["source_files"] {
            order.found = try await found(
                in: sources, "source_files", named: [try body.text("requirements"), try body.text("entry_point")],
                request)
        }
        return (order, artifact)
    }

    /// The findings of an analysis of the sources; `nil` when everything is named, and for files that are no sources.
    ///
    /// Sources that cannot be analysed are stored all the same: their agent does not start, and says why.
    ///
    /// - Parameters:
    ///   - field: the member that the files came in.
    ///   - named: the requirements and the entry point, as far as the request names them.
    func found(
        in sources: JSONValue, _ field: String, named: [String?], _ request: APIRequest
    ) async throws(APIError) -> FoundStart? {
        guard named.contains(nil), let files = try? SourceFiles(sources, field: field) else { return nil }
        do throws(AnalysisFailure) {
            return try await dependencies.analyzer.start(of: files, for: request.principal.caller)
        } catch {
            guard error != .busy else { throw APIError(error) }
            return FoundStart(
                refusal: "\(APIError(error).message); or name entry_point and requirements, which need no analysis")
        }
    }
}
