/// When a sealed segment is written anew without the records that are not kept any more.
package struct PruningPolicy: Hashable, Sendable {
    /// What is to become of a record.
    package enum Verdict: Hashable, Sendable {
        case keep
        /// It may go when enough of its segment does.
        case prune
        /// It has waited long enough: its segment is written anew, whatever that saves.
        case pruneNow
    }

    /// Which share of the bytes of a segment's records has to be expired before it is written anew, 0 to 1.
    package var shareMin = 0.3

    package init() {}
}

/// What pruning has come to.
package struct PruningOutcome: Hashable, Sendable {
    /// Segments written anew.
    package var segments = 0
    package var prunedRecords: UInt64 = 0
    package var bytesFreed: UInt64 = 0
    /// Records in sealed segments that are to go and are still there.
    package var expiredRecords: UInt64 = 0

    package init() {}

    package static func += (outcome: inout PruningOutcome, more: PruningOutcome) {
        outcome.segments += more.segments
        outcome.prunedRecords += more.prunedRecords
        outcome.bytesFreed += more.bytesFreed
        outcome.expiredRecords += more.expiredRecords
    }
}
