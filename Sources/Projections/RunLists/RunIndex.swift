/// The indexes of `runs` that lists are read from. Each holds the runs of a workspace with the same values in `columns`
/// in the order of `ordered`; the schema makes them from this table.
enum RunIndex: String, CaseIterable {
    case position = "runs_by_position"
    case status = "runs_by_status"
    case agent = "runs_by_agent"
    case user = "runs_by_user"
    case conversation = "runs_by_conversation"
    case statusAndAgent = "runs_by_status_and_agent"
    case statusAndUser = "runs_by_status_and_user"
    case update = "runs_by_update"

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
        }
    }

    var hasStatus: Bool { columns.first == "status" }

    var creation: String {
        let condition = self == .conversation ? " WHERE conversation_id IS NOT NULL" : ""
        let columns = (["workspace"] + columns + ["position"]).joined(separator: ", ")
        return "CREATE INDEX \(rawValue) ON runs (\(columns))\(condition);"
    }
}
