import Domain
import GRDB

/// Budgets of deleted agents: they hold for a later agent of the name until it states budgets of its own.
enum KeptBudgets {
    /// Keeps the budgets of an agent that is about to be deleted.
    static func keep(_ agent: String, _ workspace: WorkspaceName, _ db: Database) throws {
        guard try ownModels(agent, workspace, db)?.hasBudget == true else { return }
        try db.run(
            """
            INSERT OR REPLACE INTO kept_budgets (workspace, agent, configurations, single, budget)
            SELECT workspace, name, document -> '$.llm_configs', document -> '$.spec.llmConfig',
                document -> '$.monthly_budget_usd'
            FROM resources WHERE workspace = ? AND kind = 'agent' AND name = ?
            """, [workspace.text, agent])
    }

    /// Forgets the budgets that a stored agent states anew.
    static func replace(_ agent: String, _ workspace: WorkspaceName, _ db: Database) throws {
        let key: StatementArguments = [workspace.text, agent]
        let isKept = try db.first("SELECT 1 FROM kept_budgets WHERE workspace = ? AND agent = ?", key) { _ in true }
        guard isKept == true, try ownModels(agent, workspace, db)?.hasBudget == true else { return }
        try db.run("DELETE FROM kept_budgets WHERE workspace = ? AND agent = ?", key)
    }

    private static func ownModels(
        _ agent: String, _ workspace: WorkspaceName, _ db: Database
    ) throws -> AgentModels? {
        try db.first(
            """
            SELECT document -> '$.llm_configs' AS configurations, document -> '$.spec.llmConfig' AS single,
                document -> '$.monthly_budget_usd' AS budget, NULL AS limits
            FROM resources WHERE workspace = ? AND kind = 'agent' AND name = ?
            """, [workspace.text, agent]
        ) { try AgentModels($0, prefix: "") }
    }
}

extension AgentModels {
    /// Reads the models from the columns of those names.
    init(_ row: Row, prefix: String) throws {
        func value(_ name: String) throws -> JSONValue? {
            (try row.column(prefix + name) as String?).map { JSONText(verified: $0).value }
        }
        self.init(
            configurations: try value("configurations"), single: try value("single"),
            monthlyBudget: try value("budget"), limits: try value("limits"))
    }
}
