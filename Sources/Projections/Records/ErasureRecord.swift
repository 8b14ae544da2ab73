package import Domain
import GRDB

/// An erasure as readers see it.
package struct ErasureRecord: Hashable, Sendable {
    package let id: PersonID
    package let requestedBy: String
    package let requestedAt: Timestamp
    /// `nil` while it is going on.
    package let erasedAt: Timestamp?
    /// How many events are sealed with the key that is destroyed; `nil` while it is going on.
    package let events: UInt64?
    /// Where it was asked for.
    package let position: Position

    init(_ row: Row) throws {
        id = try row.identifier("id")
        requestedBy = try row.column("requested_by")
        requestedAt = try row.time("requested_at")
        erasedAt = try row.optionalTime("erased_at")
        events = (try row.column("events") as Int64?).map { UInt64(clamping: $0) }
        position = try row.position()
    }
}
