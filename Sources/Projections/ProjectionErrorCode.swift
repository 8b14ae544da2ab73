/// Stable codes of read model failures; each has a line in `docs/errors.md`.
package enum ProjectionErrorCode: String, Hashable, Sendable, CaseIterable {
    /// The file is no read model of ours, or damaged: it is made again from the log.
    case unreadable = "projection_unreadable"
    /// The system refuses the file: permissions, a lock, a broken disk. A rebuild would not help.
    case storage = "projection_storage"
    /// No space: what is recorded becomes visible once there is some.
    case noSpace = "projection_no_space"
    /// No file descriptor: what is recorded becomes visible once there is one.
    case noDescriptors = "projection_no_descriptors"
    case aheadOfLog = "projection_ahead_of_log"
    case stopped = "projection_stopped"
    /// The read models of a past position are being made, or too many of them are in use.
    case historyBusy = "history_busy"
    /// The read models of a past position would take more than they may.
    case historyTooLarge = "history_too_large"
}
