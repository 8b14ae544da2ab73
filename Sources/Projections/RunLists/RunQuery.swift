import Domain
import GRDB

/// The statement of a list of runs. Each row has the run's columns and `matches`, which is false for a row that the
/// filter excludes.
struct RunQuery {
    static let allPositions: Range<Int64> = 0..<Int64.max
    /// Maximum rows that a page examines where some do not match.
    static let examinedMax = 500

    /// True when all rows that are read match.
    let isExact: Bool
    /// One statement for each status that the index has; they are merged in the list's order.
    private let arms: [(sql: String, arguments: StatementArguments)]
    private let ordering: String

    /// - Parameter positions: those of the runs that were created in the filter's range of time.
    init(
        _ plan: RunPlan, after place: ListPlace?, _ positions: Range<Int64>, in workspace: WorkspaceName
    ) {
        let remaining = plan.remaining(positions)
        isExact = remaining.isEmpty
        let direction = plan.order.isDescending ? "DESC" : "ASC"
        let bounds = Bounds(plan, place, positions)
        switch plan.source {
        case .index(let index):
            arms = Self.arms(plan, index, bounds).map { arm in
                Self.arm(arm, index, plan, remaining, workspace)
            }
            let columns = [plan.order.field.column, "position"].compactMap { $0 }
            ordering = columns.map { "\($0) \(direction)" }.joined(separator: ", ")
        case .tool:
            var conditions = SQLConditions()
            conditions.add("run_tools.workspace = ?", [workspace.text])
            conditions.add("run_tools.tool = ?", [plan.filter.tool])
            bounds.add("run_tools.position", to: &conditions)
            arms = [
                Self.statement(
                    "run_tools INDEXED BY run_tools_by_tool CROSS JOIN runs ON runs.id = run_tools.run_id", conditions,
                    remaining)
            ]
            ordering = "run_tools.position \(direction)"
        case .text:
            var conditions = SQLConditions()
            conditions.add("runs.workspace = ?", [workspace.text])
            conditions.add("run_text MATCH ?", [RunText.expression(plan.filter, in: workspace)])
            bounds.add("run_text.rowid", to: &conditions)
            arms = [
                Self.statement(
                    // The sum keeps SQLite from moving the bounds of one column to the other.
                    "run_text CROSS JOIN runs INDEXED BY runs_by_position ON runs.position = run_text.rowid + 0",
                    conditions, remaining)
            ]
            ordering = "run_text.rowid \(direction)"
        }
    }

    /// The rows in order, `limit` at most; `nil` when there can be none.
    func rows(limit: Int) -> (sql: String, arguments: StatementArguments)? {
        guard !arms.isEmpty else { return nil }
        let arguments = arms.reduce(StatementArguments()) { $0 + $1.arguments } + [limit]
        return (arms.map(\.sql).joined(separator: " UNION ALL ") + " ORDER BY \(ordering) LIMIT ?", arguments)
    }

    /// The number of runs that match.
    var count: (sql: String, arguments: StatementArguments)? {
        guard !arms.isEmpty else { return nil }
        let sql = "SELECT count(*) FROM (\(arms.map(\.sql).joined(separator: " UNION ALL "))) WHERE matches"
        return (sql, arms.reduce(StatementArguments()) { $0 + $1.arguments })
    }

    /// The bounds of a page within the source's order.
    private struct Bounds {
        var lower: Int64
        var upper: Int64
        /// For sources that are sorted by a column before the position.
        var place: ListPlace?

        init(_ plan: RunPlan, _ place: ListPlace?, _ positions: Range<Int64>) {
            (lower, upper) = plan.isByPosition ? (positions.lowerBound, positions.upperBound) : (0, .max)
            self.place = place
            guard plan.order.field == .createdAt, let place else { return }
            narrow(after: place, plan.order)
            self.place = nil
        }

        mutating func narrow(after place: ListPlace, _ order: ListOrder<RunField>) {
            let position = Int64(clamping: place.position.value)
            if order.isDescending {
                upper = min(upper, position)
            } else {
                // No run has the last position that a cursor can name.
                lower = max(lower, position == .max ? .max : position + 1)
            }
        }

        func add(_ column: String, to conditions: inout SQLConditions) {
            if lower > 0 { conditions.add("\(column) >= ?", [lower]) }
            if upper < .max { conditions.add("\(column) < ?", [upper]) }
        }
    }

    private struct Arm {
        let status: RunStatus?
        let bounds: Bounds
    }

    /// One for each status that the index has. In the order of statuses, those before the place's are done.
    private static func arms(_ plan: RunPlan, _ index: RunIndex, _ bounds: Bounds) -> [Arm] {
        guard index.hasStatus else { return [Arm(status: nil, bounds: bounds)] }
        let statuses = plan.filter.statuses ?? RunStatus.allCases
        guard plan.order.field == .status, let place = bounds.place, let reached = place.value else {
            return statuses.map { Arm(status: $0, bounds: bounds) }
        }
        return statuses.compactMap { status in
            guard status.rawValue != reached else {
                var rest = bounds
                rest.narrow(after: place, plan.order)
                return Arm(status: status, bounds: rest)
            }
            let isAhead = plan.order.isDescending ? status.rawValue < reached : status.rawValue > reached
            return isAhead ? Arm(status: status, bounds: bounds) : nil
        }
    }

    private static func arm(
        _ arm: Arm, _ index: RunIndex, _ plan: RunPlan, _ remaining: SQLConditions, _ workspace: WorkspaceName
    ) -> (sql: String, arguments: StatementArguments) {
        var conditions = SQLConditions()
        conditions.add("workspace = ?", [workspace.text])
        for column in index.columns where column != plan.order.field.column || column == "status" {
            switch column {
            case "status": conditions.add("status = ?", ifPresent: arm.status?.rawValue)
            case "agent_id": conditions.add("agent_id = ?", ifPresent: plan.filter.agentID)
            case "creator_key":
                conditions.add("creator_key = ?", ifPresent: plan.filter.creatorKey?.column)
                conditions.add(index.condition ?? "1", [])
            case "user_id": conditions.add("user_id = ?", ifPresent: plan.filter.userID)
            default: conditions.add("conversation_id = ?", ifPresent: plan.filter.conversationID)
            }
        }
        var (place, updated) = (arm.bounds.place, plan.filter.updates)
        if index == .update {
            updated.keepNarrower(of: &place, plan.order)
            conditions.add("updated_at >= ?", ifPresent: updated.after)
            conditions.add("updated_at < ?", ifPresent: updated.before)
        }
        if plan.order.field.column != nil, plan.order.field != .status, let place {
            let following = plan.order.condition(after: place)
            conditions.add(following.sql, following.arguments)
        }
        arm.bounds.add("position", to: &conditions)
        return statement("runs INDEXED BY \(index.rawValue)", conditions, remaining)
    }

    private static func statement(
        _ tables: String, _ conditions: SQLConditions, _ remaining: SQLConditions
    ) -> (sql: String, arguments: StatementArguments) {
        (
            "SELECT runs.*, (\(remaining.joined)) IS TRUE AS matches FROM \(tables) WHERE \(conditions.joined)",
            remaining.arguments + conditions.arguments
        )
    }
}
