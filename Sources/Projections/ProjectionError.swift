/// Why the read models could not be opened, kept up or asked.
package struct ProjectionError: Error, Hashable, Sendable, CustomStringConvertible {
    package let code: ProjectionErrorCode
    /// What is wrong and what to do.
    package let description: String

    package init(_ code: ProjectionErrorCode, _ description: String) {
        self.code = code
        self.description = description
    }
}

/// Stable codes of read model failures; each has a line in `docs/errors.md`.
package enum ProjectionErrorCode: String, Hashable, Sendable, CaseIterable {
    case unreadable = "projection_unreadable"
    case aheadOfLog = "projection_ahead_of_log"
    case stopped = "projection_stopped"
}

extension ProjectionError {
    static func wrapping(_ error: any Error) -> ProjectionError {
        if let error = error as? ProjectionError { return error }
        return ProjectionError(
            .unreadable,
            "the read models cannot be used (\(error)); stop sluice, run `sluice projections rebuild`, start it again")
    }
}
