import Projections

/// Why the daemon or a command cannot go on, with what to do about it.
package struct DaemonError: Error, Hashable, Sendable, CustomStringConvertible {
    package let code: DaemonErrorCode
    package let description: String

    package init(_ code: DaemonErrorCode, _ description: String) {
        self.code = code
        self.description = description
    }
}

extension DaemonError {
    /// Why the read models cannot be used, for whoever starts the daemon or rebuilds them.
    init(_ error: ProjectionError) {
        switch error.code {
        case .aheadOfLog: self.init(.logUnusable, error.description)
        case .unreadable: self.init(.readModelUnusable, error.description)
        case .storage, .noSpace, .noDescriptors, .stopped, .historyBusy, .historyTooLarge:
            self.init(.directoryUnusable, error.description)
        }
    }
}

/// Stable codes of failures outside requests; each has a line in `docs/errors.md`.
package enum DaemonErrorCode: String, Hashable, Sendable, CaseIterable {
    case configuration = "configuration_invalid"
    case directoryInUse = "directory_in_use"
    case directoryUnusable = "directory_unusable"
    case logUnusable = "log_unusable"
    case readModelUnusable = "read_model_unusable"
    case destinationUnusable = "destination_unusable"
    case backupUnusable = "backup_unusable"
    case secretsUnusable = "secrets_unusable"
    case notFound = "nothing_found"
    case sandboxUnusable = "sandbox_unusable"
    case addressUnusable = "address_unusable"
    case daemonUnreachable = "daemon_unreachable"
    case requestRefused = "request_refused"
    case notPermitted = "not_permitted"
    case serviceEnded = "service_ended"

    /// The process's exit code, after sysexits.h.
    package var exitCode: Int32 {
        switch self {
        case .configuration, .secretsUnusable: 78
        case .directoryInUse: 75
        case .directoryUnusable, .destinationUnusable: 73
        case .logUnusable, .readModelUnusable, .backupUnusable: 65
        case .notFound: 66
        case .addressUnusable, .daemonUnreachable, .sandboxUnusable: 69
        case .requestRefused: 76
        case .notPermitted: 77
        case .serviceEnded: 70
        }
    }
}
