import EventStore
import GRDB

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

extension ProjectionError {
    /// What any error of SQLite, of the codec or of the system means for the read models.
    static func wrapping(_ error: any Error) -> ProjectionError {
        switch error {
        case let error as ProjectionError: error
        case let error as DatabaseError: wrapping(error)
        case is MalformedRow, is RowDecodingError, is EventStoreError: unreadable(error)
        default: storage(error)
        }
    }

    private static func wrapping(_ error: DatabaseError) -> ProjectionError {
        switch error.resultCode {
        case .SQLITE_FULL:
            ProjectionError(
                .noSpace,
                "there is no space for the read models (\(error)): what was recorded is safe in the log and becomes "
                    + "visible once space is free; free some")
        case .SQLITE_CANTOPEN where FileDescriptors.areExhausted:
            ProjectionError(
                .noDescriptors,
                "no file descriptor is left for the read models (\(error)): close connections, or raise `ulimit -n`")
        case .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH, .SQLITE_IOERR, .SQLITE_BUSY,
            .SQLITE_LOCKED, .SQLITE_NOMEM:
            storage(error)
        default: unreadable(error)
        }
    }

    private static func storage(_ error: any Error) -> ProjectionError {
        ProjectionError(
            .storage,
            "the file of the read models cannot be used (\(error)): check its permissions, the disk, and that no "
                + "other process holds it, then start sluice again")
    }

    private static func unreadable(_ error: any Error) -> ProjectionError {
        ProjectionError(
            .unreadable,
            "the read models are damaged (\(error)): they are made again from the log; try again in a moment")
    }
}
