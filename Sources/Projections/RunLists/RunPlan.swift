import Domain
import GRDB

/// The source of a list of runs, which has the list's order, and the conditions that are checked row by row.
///
/// An index that has every condition gives the matching rows alone. Where none has, the list is read from the narrowest
/// one, and a page examines a bounded number of rows (docs/decisions/0066-every-query-has-a-plan.md).
struct RunPlan {
    enum Source {
        case index(RunIndex)
        /// The runs that asked for a call of a tool.
        case tool
        /// The search index.
        case text
    }

    let filter: RunFilter
    let order: ListOrder<RunField>
    let source: Source

    init(_ filter: RunFilter, by order: ListOrder<RunField>) {
        self.filter = filter
        let simple = filter.simplified(order)
        self.order = filter.isSearch ? ListOrder(.createdAt, isDescending: simple.isDescending) : simple
        source = Self.source(filter, self.order)
    }

    private static func source(_ filter: RunFilter, _ order: ListOrder<RunField>) -> Source {
        let hasStatus = filter.statuses != nil
        switch order.field {
        case .updatedAt: return .index(.update)
        case .agentID: return .index(hasStatus ? .statusAndAgent : .agent)
        case .userID: return .index(hasStatus ? .statusAndUser : .user)
        case .status:
            return .index(filter.userID != nil ? .statusAndUser : filter.agentID != nil ? .statusAndAgent : .status)
        case .createdAt:
            if filter.isSearch { return .text }
            if filter.creatorKey != nil, filter.isUnfinished { return .index(.creator) }
            if filter.conversationID != nil { return .index(.conversation) }
            if filter.userID != nil { return .index(hasStatus ? .statusAndUser : .user) }
            if filter.tool != nil { return .tool }
            if filter.agentID != nil { return .index(hasStatus ? .statusAndAgent : .agent) }
            return .index(hasStatus ? .status : .position)
        }
    }

    /// Columns that have one value in all that is read from the source, or are what it is sorted by.
    var indexed: Set<String> {
        switch source {
        case .index(let index): Set(index.columns)
        case .tool: ["tool"]
        case .text: ["text"]
        }
    }

    /// True when the source is sorted by position, so that a range of creation is a range of it.
    var isByPosition: Bool { order.field == .createdAt || order.field == .status }

    /// The conditions that the source does not have.
    func remaining(_ positions: Range<Int64>) -> SQLConditions {
        var conditions = SQLConditions()
        let indexed = indexed
        if !indexed.contains("agent_id") { conditions.add("runs.agent_id = ?", ifPresent: filter.agentID) }
        if !indexed.contains("user_id") { conditions.add("runs.user_id = ?", ifPresent: filter.userID) }
        if !indexed.contains("creator_key") {
            conditions.add("runs.creator_key = ?", ifPresent: filter.creatorKey?.column)
        }
        if !indexed.contains("conversation_id") {
            conditions.add("runs.conversation_id = ?", ifPresent: filter.conversationID)
        }
        if !indexed.contains("status"), let statuses = filter.statuses {
            conditions.add("runs.status IN (\(databaseQuestionMarks(count: statuses.count)))", statuses.map(\.rawValue))
        }
        if !indexed.contains("updated_at") {
            conditions.add("runs.updated_at >= ?", ifPresent: filter.updatedAfter?.microseconds)
            conditions.add("runs.updated_at < ?", ifPresent: filter.updatedBefore?.microseconds)
        }
        if !indexed.contains("tool") {
            conditions.add(
                "EXISTS (SELECT 1 FROM run_tools AS called WHERE called.run_id = runs.id AND called.tool = ?)",
                ifPresent: filter.tool)
        }
        if !isByPosition, positions != RunQuery.allPositions {
            conditions.add("runs.position >= ? AND runs.position < ?", [positions.lowerBound, positions.upperBound])
        }
        return conditions
    }
}
