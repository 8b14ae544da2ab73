package import Domain
import GRDB

/// A revision of an agent as readers see it.
package struct AgentVersionRecord: Hashable, Sendable {
    package let revision: UInt64
    package let document: JSONText
    /// The revision that it brought back, for a rollback.
    package let restoredRevision: UInt64?
    package let storedAt: Timestamp
    /// The time since which it has served, or did serve; `nil` for one that never has.
    package let servedAt: Timestamp?
    package let phase: String?
    package let statusMessage: String?

    init(_ row: Row) throws {
        revision = UInt64(clamping: try row.column("revision") as Int64)
        document = JSONText(verified: try row.column("document"))
        restoredRevision = (try row.column("restored_revision") as Int64?).map(UInt64.init(clamping:))
        storedAt = try row.time("stored_at")
        servedAt = try row.optionalTime("served_at")
        phase = try row.column("phase")
        statusMessage = try row.freeText("status_message")
    }
}
