import Domain
import EventStore
import GRDB

/// Sums of calls of models: for each day by who and what, for each month by agent and model.
enum ModelUsageProjector {
    /// What no sum grows beyond, far below what a column holds: a provider's absurd numbers stop nothing.
    private static let sumMax: Int64 = 1_000_000_000_000_000

    static func apply(_ called: ModelCalled, _ event: Event, _ db: Database) throws {
        let sums = sums(of: called)
        let day = CalendarDay(containing: event.time).daysSinceEpoch
        let month = CalendarMonth(containing: event.time).number
        let (workspace, agent) = (event.workspace.text, called.agentID ?? "")
        try db.run(
            insertion(
                into: "model_usage",
                keys: ["workspace", "day", "agent", "user", "provider", "model", "role"]),
            [workspace, day, agent, called.userID ?? "", called.provider, called.model, called.role ?? ""] + sums)
        try db.run(
            insertion(
                into: "model_spend", keys: ["workspace", "month", "agent", "provider", "model", "provider_kind"]),
            [workspace, month, agent, called.provider, called.model, called.providerKind] + sums)
        if called.isMade { try count(called, event, day: day, db) }
    }

    /// Counts a call for its key, its user and its model.
    private static func count(_ called: ModelCalled, _ event: Event, day: Int64, _ db: Database) throws {
        let tokens = Int64((called.usage?.prompt ?? 0) + (called.usage?.completion ?? 0))
        let cost = Int64(clamping: min(called.cost?.value ?? 0, UInt64(sumMax)))
        for subject in ModelSubject.all(actor: event.actor, user: called.userID, model: called.model) {
            try db.run(
                """
                INSERT INTO model_subject_usage (workspace, subject, name, day, calls, tokens, cost)
                VALUES (?, ?, ?, ?, 1, ?, ?)
                ON CONFLICT DO UPDATE SET calls = calls + 1, tokens = min(tokens + excluded.tokens, \(sumMax)),
                    cost = min(cost + excluded.cost, \(sumMax))
                """,
                [event.workspace.text, subject.kind.rawValue, subject.name, day, tokens, cost])
        }
    }

    /// In the order of `ReadModelSchema.usageSums`.
    private static func sums(of called: ModelCalled) -> StatementArguments {
        let isFailed =
            switch called.outcome {
            case .answered(let status): status >= 400
            case .failed: true
            case .overBudget: false
            }
        return [
            called.isMade, isFailed, !called.isMade, called.isEstimated, called.usage != nil && called.cost == nil,
            Int64(called.usage?.prompt ?? 0), Int64(called.usage?.completion ?? 0), Int64(called.usage?.cached ?? 0),
            Int64(clamping: min(called.cost?.value ?? 0, UInt64(sumMax))),
        ]
    }

    private static func insertion(into table: String, keys: [String]) -> String {
        let sums = ReadModelSchema.usageSums
        let places = Array(repeating: "?", count: keys.count + sums.count).joined(separator: ", ")
        let updates = sums.map { "\($0) = min(\($0) + excluded.\($0), \(sumMax))" }.joined(separator: ", ")
        return """
            INSERT INTO \(table) (\((keys + sums).joined(separator: ", "))) VALUES (\(places))
            ON CONFLICT DO UPDATE SET \(updates)
            """
    }
}
