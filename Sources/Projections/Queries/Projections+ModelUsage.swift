package import Domain
import GRDB

extension Projections {
    /// What the agent spent in a month, model by model: by key, on the caller's thread.
    package func modelSpending(
        of agent: String, in month: CalendarMonth, _ workspace: WorkspaceName
    ) throws(ProjectionError) -> [ModelSpending] {
        try lookUp { db in
            let statement = try db.cachedStatement(
                sql: "SELECT * FROM model_spend WHERE workspace = ? AND month = ? AND agent = ?")
            return try Row.fetchAll(statement, arguments: [workspace.text, month.number, agent])
                .map { try ModelSpendRecord($0).spending }
        }
    }

    /// What everybody used in a month, by agent, provider and model; of one agent when one is given.
    package func modelSpend(
        of agent: String?, in month: CalendarMonth, _ workspace: WorkspaceName
    ) async throws(ProjectionError) -> [ModelSpendRecord] {
        var conditions = SQLConditions()
        conditions.add("workspace = ?", [workspace.text])
        conditions.add("month = ?", [month.number])
        conditions.add("agent = ?", ifPresent: agent)
        let (condition, arguments) = (conditions.joined, conditions.arguments)
        return try await query { db in
            try Row.fetchAll(
                db, sql: "SELECT * FROM model_spend WHERE \(condition) ORDER BY agent, provider, model",
                arguments: arguments
            ).map(ModelSpendRecord.init)
        }
    }

    /// What was used from the first day to the last, put together, the dearest first; days in their order.
    ///
    /// - Returns: `limit` groups at most, whether there are more, and the sums over all groups.
    package func modelUsage(
        by grouping: ModelUsageGrouping, from first: CalendarDay, to last: CalendarDay, of agent: String?,
        limit: Int, in workspace: WorkspaceName
    ) async throws(ProjectionError) -> (records: [ModelUsageRecord], hasMore: Bool, total: ModelUsageSums) {
        let sums = ReadModelSchema.usageSums.map { "coalesce(sum(\($0)), 0) AS \($0)" }.joined(separator: ", ")
        let order = grouping == .day ? "grouped" : "sum(cost) DESC, grouped"
        let condition = agent == nil ? "" : "AND agent = ?"
        let rows = "FROM model_usage WHERE workspace = ? AND day BETWEEN ? AND ? \(condition)"
        let sql = """
            SELECT \(grouping.rawValue) AS grouped, \(sums) \(rows)
            GROUP BY \(grouping.rawValue) ORDER BY \(order) LIMIT ?
            """
        var arguments: StatementArguments = [workspace.text, first.daysSinceEpoch, last.daysSinceEpoch]
        if let agent { arguments += [agent] }
        return try await query { [arguments] db in
            let records = try Row.fetchAll(db, sql: sql, arguments: arguments + [limit + 1]).map {
                try ModelUsageRecord($0, grouping)
            }
            let total = try ModelUsageSums(
                try Row.fetchOne(db, sql: "SELECT \(sums) \(rows)", arguments: arguments) ?? Row())
            return (Array(records.prefix(limit)), records.count > limit, total)
        }
    }

    /// The models and budgets of every agent, or of one, by name: without the rest of their documents.
    package func agentModels(
        of agent: String? = nil, in workspace: WorkspaceName
    ) async throws(ProjectionError) -> [(agent: String, models: AgentModels)] {
        try await query { db in
            let arguments: StatementArguments = agent.map { [workspace.text, $0] } ?? [workspace.text]
            let aliases = try db.modelAliases(in: workspace)
            return try Row.fetchAll(db, sql: Self.agentModelsQuery(isOfOne: agent != nil), arguments: arguments)
                .map(Self.agentModels).map { ($0.agent, $0.models.resolved(by: aliases.all, listed: aliases.listed)) }
        }
    }

    /// The models and budgets of one agent, on the caller's thread; without a deploy there are none.
    package func agentModels(_ agent: String, _ workspace: WorkspaceName) throws(ProjectionError) -> AgentModels {
        try lookUp { db in
            let models = try db.first(
                Self.agentModelsQuery(isOfOne: true), [workspace.text, agent], Self.agentModels)?.models
            let aliases = try db.modelAliases(in: workspace)
            return models?.resolved(by: aliases.all, listed: aliases.listed) ?? AgentModels(document: .null)
        }
    }

    /// `->` gives JSON, numbers as they were written.
    private static func agentModelsQuery(isOfOne: Bool) -> String {
        """
        SELECT name, document -> '$.llm_configs' AS configurations, document -> '$.spec.llmConfig' AS single,
            document -> '$.monthly_budget_usd' AS budget, document -> '$.limits' AS limits,
            kept_budgets.configurations AS kept_configurations, kept_budgets.single AS kept_single, kept_budgets.budget AS kept_budget, NULL AS kept_limits
        FROM resources
        LEFT JOIN kept_budgets ON kept_budgets.workspace = resources.workspace AND kept_budgets.agent = resources.name
        WHERE resources.workspace = ? AND kind = 'agent' \(isOfOne ? "AND name = ?" : "") ORDER BY name
        """
    }

    private static func agentModels(_ row: Row) throws -> (agent: String, models: AgentModels) {
        (try row.column("name"), try AgentModels(row, prefix: "").keeping(AgentModels(row, prefix: "kept_")))
    }
}
