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
        name = try row.column("name")
        stoppedBy = try row.column("stopped_by")
        stoppedAt = try row.time("stopped_at")
        reason = try row.column("reason")
        holdsRuns = try row.column("holds_runs")
    }
}
