import Domain

/// The times in which a list's rows were updated, in microseconds since 1970: from `after`, and before `before`.
struct UpdateRange {
    var after: Int64?
    var before: Int64?

    /// Of the range's bound and the place that rows follow, keeps the one that excludes more.
    ///
    /// SQLite searches an index by one of two bounds on the same side, and steps over each row that the other excludes.
    mutating func keepNarrower(of place: inout ListPlace?, _ order: ListOrder<RunField>) {
        guard let reached = place?.value.flatMap({ Int64($0) }) else { return }
        if order.isDescending {
            guard let bound = before else { return }
            if bound <= reached { place = nil } else { before = nil }
        } else {
            guard let bound = after else { return }
            if bound > reached { place = nil } else { after = nil }
        }
    }
}

extension RunFilter {
    var updates: UpdateRange {
        UpdateRange(after: updatedAfter?.microseconds, before: updatedBefore?.microseconds)
    }
}
