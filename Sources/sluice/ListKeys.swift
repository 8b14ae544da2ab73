import ArgumentParser
import Daemon
import Domain

/// `sluice keys list`.
struct ListKeys: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the keys, without their text.")

    @OptionGroup var connection: Keys.Connection
    @Flag(help: "Print JSON, a line a key.") var json = false

    private static let columns = [
        ("ID", "id"), ("ROLE", "role"), ("WORKSPACE", "workspace"), ("PREFIX", "prefix"), ("NAME", "name"),
        ("GROUPS", "groups"), ("AGENT", "agent"), ("CREATED", "createdAt"), ("EXPIRES", "expiresAt"),
        ("LAST USED", "lastUsedAt"),
    ]

    func run() async throws {
        try await reporting {
            guard case .array(let keys) = try await connection.client().request("GET", "/api/v1/auth/api-keys")
            else { throw DaemonError(.requestRefused, "the daemon's answer is no list of keys") }
            guard !json else { return keys.forEach { show($0.text.text) } }
            let rows = [Self.columns.map(\.0)] + keys.map { key in Self.columns.map { Self.text(key, $0.1) } }
            let widths = Self.columns.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
            for row in rows {
                let cells = zip(row, widths).map { cell, width in
                    cell + String(repeating: " ", count: width - cell.count)
                }
                show(cells.joined(separator: "  "))
            }
        }
    }

    private static func text(_ key: JSONValue, _ member: String) -> String {
        switch member {
        case "groups":
            let groups = key[member].strings.joined(separator: ",")
            return groups.isEmpty ? "-" : groups + (key["only_groups"] == .bool(true) ? " (only)" : "")
        case "agent" where key["any_agent"] == .bool(true): return "(any)"
        default: return key[member]?.string ?? "-"
        }
    }
}
