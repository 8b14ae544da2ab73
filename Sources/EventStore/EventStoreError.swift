/// Why the event store could not do what was asked.
package enum EventStoreError: Error, Hashable, Sendable {
    case backend(LogBackendError)
    /// A record is not an event of a schema this version knows.
    case undecodable(position: UInt64?, reason: String)
    /// A snapshot could not be kept; the log is not concerned.
    case snapshot(String)

    /// True when free disk space or free file descriptors cure it.
    package var isShortage: Bool {
        switch self {
        case .backend(.noSpace), .backend(.noDescriptors): true
        case .backend, .undecodable, .snapshot: false
        }
    }

    package var code: EventStoreErrorCode {
        switch self {
        case .backend(.noSpace): .noSpace
        case .backend(.noDescriptors): .noDescriptors
        case .backend(.stopped): .stopped
        case .backend(.damaged): .damaged
        case .backend(.tooLarge): .tooLarge
        case .undecodable: .undecodable
        case .snapshot: .snapshot
        }
    }
}

extension EventStoreError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .backend(let error): error.description
        case .undecodable(let position, let reason):
            "event\(position.map { " \($0)" } ?? "") cannot be read: \(reason)"
        case .snapshot(let reason): "the snapshot could not be kept: \(reason)"
        }
    }
}

/// Stable codes of event store failures; each has a line in `docs/errors.md`.
package enum EventStoreErrorCode: String, Hashable, Sendable, CaseIterable {
    case noSpace = "log_no_space"
    case noDescriptors = "log_no_descriptors"
    case stopped = "log_stopped"
    case damaged = "log_damaged"
    case tooLarge = "log_batch_too_large"
    case undecodable = "event_undecodable"
    case snapshot = "snapshot_failed"
}
