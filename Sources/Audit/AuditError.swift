/// Why there is no proof.
package enum AuditError: Error, Hashable, Sendable, CustomStringConvertible {
    case logUnreadable(String)
    case tilesUnwritable(String)
    case keyUnusable(String)
    /// The log is not one that goes on from what was signed before; nothing is signed any more.
    case historyChanged(size: UInt64)

    package var description: String {
        switch self {
        case .logUnreadable(let reason): "the log cannot be read: \(reason)"
        case .tilesUnwritable(let reason): "the tree of the log cannot be kept: \(reason)"
        case .keyUnusable(let reason): reason
        case .historyChanged(let size):
            "the log is not the one whose first \(size) events were signed before: nothing is signed until it is put back, "
                + "or its directory `audit` is moved away, which begins a log of a new name"
        }
    }
}
