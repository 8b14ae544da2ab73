import Domain
import GRDB

/// The indexed words of one run: agent, user, reason and tools, and the workspace as a single word.
///
/// The index keeps words and no text, so a row is taken out by its exact former values: they are read from the tables
/// before a change.
struct RunText: Equatable {
    /// Tools beyond these, in the order of their names, are not searched for.
    private static let toolsMax = 64
    private static let searched = ["agent", "user", "reason", "tools"]

    private let position: Int64
    private let workspace: String
    private let agent: String
    private let user: String
    private let reason: String
    private let tools: String

    /// The text of a run as the tables have it; `nil` when there is no such run.
    static func read(_ id: RunID, _ db: Database) throws -> (position: Int64, text: RunText)? {
        let text = try db.first(
            """
            SELECT position, workspace, agent_id, user_id, reason, (
                SELECT group_concat(tool, char(10)) FROM (
                    SELECT tool FROM run_tools WHERE run_id = runs.id ORDER BY tool LIMIT \(toolsMax))) AS tools
            FROM runs WHERE id = ?
            """, [id.column], RunText.init)
        return text.map { ($0.position, $0) }
    }

    private init(_ row: Row) throws {
        position = try row.column("position")
        workspace = Self.word(try row.column("workspace"))
        agent = try row.column("agent_id")
        user = try row.column("user_id")
        reason = try row.column("reason") ?? ""
        tools = try row.column("tools") ?? ""
    }

    func insert(_ db: Database) throws {
        try db.run(
            "INSERT INTO run_text (rowid, workspace, agent, user, reason, tools) VALUES (?, ?, ?, ?, ?, ?)", values)
    }

    func delete(_ db: Database) throws {
        try db.run(
            """
            INSERT INTO run_text (run_text, rowid, workspace, agent, user, reason, tools)
            VALUES ('delete', ?, ?, ?, ?, ?, ?)
            """, values)
    }

    private var values: StatementArguments { [position, workspace, agent, user, reason, tools] }

    /// The search of a filter, as an expression of FTS5. Agent, user and tool narrow it; whether they are exactly these
    /// is checked row by row.
    static func expression(_ filter: RunFilter, in workspace: WorkspaceName) -> String {
        let values = [("agent", filter.agentID), ("user", filter.userID)]
        let narrowing = values.flatMap { column, value in value.map { SearchWords.phrases(of: $0, in: column) } ?? [] }
        let scope = (["workspace : \(word(workspace.text))"] + narrowing).joined(separator: " ")
        let searches = [filter.text?.expression(in: searched), filter.error?.expression(in: ["reason"])]
        return ([scope] + searches.compactMap(\.self)).joined(separator: " AND ")
    }

    /// A text as one word of letters and digits, that no other text has.
    private static func word(_ text: String) -> String {
        "w"
            + text.utf8.map { byte in
                let digits = String(byte, radix: 16)
                return digits.count == 1 ? "0" + digits : digits
            }.joined()
    }
}
