import Domain

/// The indexes of `runs` that lists are read from. Each holds the runs of a workspace with the same values in `columns`
/// in the order of their positions; the schema makes them from this table.
enum RunIndex: String, CaseIterable {
    case position = "runs_by_position"
    case status = "runs_by_status"
    case agent = "runs_by_agent"
    case user = "runs_by_user"
    case conversation = "runs_by_conversation"
    case statusAndAgent = "runs_by_status_and_agent"
    case statusAndUser = "runs_by_status_and_user"
    case update = "runs_by_update"
    case creator = "runs_by_creator"

    /// The columns between the workspace and the position.
    var columns: [String] {
        switch self {
        case .position: []
        case .status: ["status"]
        case .agent: ["agent_id"]
        case .user: ["user_id"]
        case .conversation: ["conversation_id"]
        case .statusAndAgent: ["status", "agent_id"]
        case .statusAndUser: ["status", "user_id"]
        case .update: ["updated_at"]
        case .creator: ["creator_key"]
        }
    }

    var hasStatus: Bool { columns.first == "status" }

    /// The condition of an index that has not all rows. Statements repeat it, so that SQLite uses the index.
    var condition: String? {
        switch self {
        case .conversation: "conversation_id IS NOT NULL"
        case .creator:
            "creator_key IS NOT NULL AND status IN ("
                + RunStatus.allCases.filter { !$0.isFinished }.map { "'\($0.rawValue)'" }.joined(separator: ", ") + ")"
        case .position, .status, .agent, .user, .statusAndAgent, .statusAndUser, .update: nil
        }
    }

    var creation: String {
        // A key's runs are counted over all workspaces.
        let columns = self == .creator ? columns + ["workspace"] : ["workspace"] + columns
        return "CREATE INDEX \(rawValue) ON runs (\((columns + ["position"]).joined(separator: ", ")))"
            + (condition.map { " WHERE \($0)" } ?? "") + ";"
    }
}
