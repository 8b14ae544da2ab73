/// Why the log could not do what was asked.
package enum LogError: Error, Hashable, Sendable {
    /// The disk is full; nothing of the batch was kept, and appends succeed again once there is space.
    case noSpace(String)
    /// No file could be opened; nothing of the batch was kept, and appends succeed again once descriptors are free.
    case noDescriptors(String)
    /// A write or fdatasync failed: what is on disk is not known any more, so nothing is written until a restart.
    case poisoned(String)
    /// Bytes that were durable are not what was written.
    case damaged(segment: String, position: UInt64, offset: UInt64, reason: String)
    /// The directory holds something that is no log of ours, or of a newer format.
    case foreign(String)
    case tooLarge(String)
    case storage(StorageError)
}

extension LogError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .noSpace(let reason): "no space left for the event log (\(reason)); free some and try again"
        case .noDescriptors(let reason):
            "no file descriptor left for the event log (\(reason)); close connections, or raise `ulimit -n`"
        case .poisoned(let reason):
            "the event log stopped accepting writes (\(reason)); check the disk, then restart"
        case .damaged(let segment, let position, let offset, let reason):
            "segment \(segment) is damaged at offset \(offset), near position \(position): \(reason); "
                + "run `sluice log verify`, then restore the segment from a backup"
        case .foreign(let reason): reason
        case .tooLarge(let reason): reason
        case .storage(let error): error.description
        }
    }
}

/// Stable codes of log failures; each has a line in `docs/errors.md`.
package enum LogErrorCode: String, Hashable, Sendable, CaseIterable {
    case noSpace = "log_no_space"
    case noDescriptors = "log_no_descriptors"
    case poisoned = "log_write_failed"
    case damaged = "log_damaged"
    case foreign = "log_foreign"
    case tooLarge = "log_batch_too_large"
    case storage = "log_storage"
}

extension LogError {
    /// The shortage that an error of the storage is, which passes by itself; `nil` for any other error.
    init?(shortage error: StorageError) {
        switch error.kind {
        case .noSpace: self = .noSpace(error.description)
        case .noDescriptors: self = .noDescriptors(error.description)
        case .notFound, .notPermitted, .other: return nil
        }
    }

    package var code: LogErrorCode {
        switch self {
        case .noSpace: .noSpace
        case .noDescriptors: .noDescriptors
        case .poisoned: .poisoned
        case .damaged: .damaged
        case .foreign: .foreign
        case .tooLarge: .tooLarge
        case .storage: .storage
        }
    }
}
