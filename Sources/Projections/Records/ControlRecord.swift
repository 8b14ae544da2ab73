package import Domain
import GRDB

/// A stop in force as readers see it.
package struct ControlRecord: Hashable, Sendable {
    package let kind: ControlKind
    package let name: String
    package let stoppedBy: String
    package let stoppedAt: Timestamp
    package let reason: String?
    package let holdsRuns: Bool

    init(_ row: Row) throws {
        kind = try row.value("kind")
        name = row["name"]
        stoppedBy = row["stopped_by"]
        stoppedAt = row.time("stopped_at")
        reason = row["reason"]
        holdsRuns = row["holds_runs"]
    }
}
