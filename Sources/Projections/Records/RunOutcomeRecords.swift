package import Domain
import GRDB

/// The answer of a run's agent.
package struct RunResult: Hashable, Sendable {
    /// Results up to this size are part of lists.
    package static let listedBytesMax = 4096

    /// The result, when it is small enough for lists; `nil` for one that `Projections.result(of:)` reads.
    package let listed: JSONText?
    package let bytes: Int
    /// Its event in the run's timeline.
    let sequence: UInt64

    /// `nil` for a run without an answer.
    init?(_ row: Row) throws {
        guard let sequence = try row.column("result_sequence") as Int64? else { return nil }
        self.sequence = UInt64(clamping: sequence)
        bytes = try row.column("result_bytes")
        listed = (try row.column("result") as String?).map(JSONText.init(verified:))
    }
}

/// Numbers of a run's effects that needed an approval, by their outcome.
package struct RunEffects: Hashable, Sendable {
    /// Calls that the tool answered without an error.
    package let performed: Int
    /// Approved calls that the tool answered with an error, that have no known outcome, or that were not made.
    package let failed: Int
    package let rejected: Int
    /// Actions without a decision in time.
    package let expired: Int
    /// One of those that failed, named, with the reason.
    package let failure: String?

    package var isEmpty: Bool { performed == 0 && failed == 0 && rejected == 0 && expired == 0 }

    init(_ row: Row) throws {
        performed = try row.column("effects_performed")
        failed = try row.column("effects_failed")
        rejected = try row.column("effects_rejected")
        expired = try row.column("effects_expired")
        failure = try row.freeText("failed_effect")
    }
}
