package import Domain

/// A filter of runs. All conditions hold together.
package struct RunFilter: Hashable, Sendable {
    package var agentID: String?
    package var status: RunStatus?
    /// Only runs that wait for a decision or a consent.
    package var isPaused = false
    package var userID: String?
    package var conversationID: String?
    /// Only runs that are not finished.
    package var isUnfinished = false
    package var createdAfter: Timestamp?
    package var createdBefore: Timestamp?
    package var updatedAfter: Timestamp?
    package var updatedBefore: Timestamp?
    /// Only runs that asked for a call of that tool.
    package var tool: String?
    /// Only unfinished runs that were created with that API key; the index of creators has no others.
    package var creatorKey: APIKeyID?
    /// Only runs whose reason has these words.
    package var error: SearchWords?
    /// Only runs of which the search index has these words.
    package var text: SearchWords?

    package init() {}

    /// The statuses that match; `nil` when all do.
    var statuses: [RunStatus]? {
        let matching = RunStatus.allCases.filter { each in
            (status.map { $0 == each } ?? true) && (!isPaused || each.isPaused) && (!isUnfinished || !each.isFinished)
        }
        return matching.count == RunStatus.allCases.count ? nil : matching
    }

    var isSearch: Bool { error != nil || text != nil }
    private var hasUpdateRange: Bool { updatedAfter != nil || updatedBefore != nil }

    /// The order of a list without an explicit one, newest first: a range of updates is read in their order.
    package var naturalField: RunField { hasUpdateRange && !isSearch ? .updatedAt : .createdAt }

    /// The order without a field that is the same in all runs that match.
    func simplified(_ order: ListOrder<RunField>) -> ListOrder<RunField> {
        let isConstant =
            switch order.field {
            case .agentID: agentID != nil
            case .userID: userID != nil
            case .status: statuses?.count == 1
            case .createdAt, .updatedAt: false
            }
        return isConstant ? ListOrder(.createdAt, isDescending: order.isDescending) : order
    }

    /// Refuses the orders in which no index gives the runs that match.
    package func check(_ order: ListOrder<RunField>) throws(InvalidFilter) {
        guard isSearch, simplified(order).field != .createdAt else { return }
        throw InvalidFilter(
            "q and error are answered in the order of created_at alone: leave sort out, or use sort=created_at or "
                + "sort=-created_at")
    }
}

/// A filter that a client set and that means nothing, with the reason.
package struct InvalidFilter: Error {
    package let message: String

    init(_ message: String) { self.message = message }
}
