import EventStore
import Logging
import Projections

/// The read models of a running daemon, and what is known of their file.
struct ReadModels {
    let projections: Projections
    /// The reason to check the file; `nil` when it can be trusted.
    let doubt: String?
    private let file: ReadModelFile

    /// Opens the read models, or begins new ones in the place of a file that cannot be used.
    ///
    /// - Throws: `DaemonError.logUnusable` when the log has lost what they show: nothing may be written then.
    static func open(_ directory: DataDirectory, _ store: EventStore, _ logger: Logger) throws(DaemonError)
        -> ReadModels
    {
        let file = ReadModelFile(directory)
        let trust = try file.trust()
        try file.removeMark()
        let projections: Projections
        do throws(ProjectionError) {
            directory.protectReadModel()
            if case .unusable(let reason) = trust {
                logger.warning("read models untrusted; making them again", metadata: ["reason": "\(reason)"])
                try Projections.delete(path: file.path)
            }
            projections = try open(file.path, logger)
            try projections.checkNotAhead(of: store)
        } catch {
            throw DaemonError(error)
        }
        try file.markOpen()
        let doubt: String? = if case .doubtful(let reason) = trust { reason } else { nil }
        return ReadModels(projections: projections, doubt: doubt, file: file)
    }

    private static func open(_ path: String, _ logger: Logger) throws(ProjectionError) -> Projections {
        do throws(ProjectionError) {
            return try Projections.open(path: path, logger: logger)
        } catch  where error.code == .unreadable {
            logger.error("read models damaged; making them again", metadata: ["error": "\(error)"])
            try Projections.delete(path: path)
            return try Projections.open(path: path, logger: logger)
        }
    }

    /// Closes the file and marks it, so that the next start can trust it.
    func close(_ logger: Logger) {
        guard !projections.isDamaged else { return }
        do {
            try projections.close()
            try file.markClosed()
        } catch {
            logger.warning("read models not closed in order", metadata: ["error": "\(error)"])
        }
    }
}
