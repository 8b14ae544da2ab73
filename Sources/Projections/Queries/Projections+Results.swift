package import Domain

extension Projections {
    /// The whole result of a run, whatever its size; `nil` for a run without one.
    package func result(of run: RunRecord) async throws(ProjectionError) -> JSONText? {
        guard let result = run.result else { return nil }
        if let listed = result.listed { return listed }
        let entry = try await timeline(run.id, after: result.sequence - 1, limit: 1).records.first
        return switch entry?.event.payload {
        case .invokeCompleted(let completed)?: completed.response
        case .runEventAdded(let added)?: added.data
        default: nil
        }
    }
}
