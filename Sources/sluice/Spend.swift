import ArgumentParser
import Daemon
import Domain

struct Spend: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what models have cost this month, beside the budgets, on a running daemon.",
        discussion: "The key that this needs is read from SLUICE_API_KEY.")

    @OptionGroup var connection: Keys.Connection
    @Option(help: "How many models to show, the dearest first.") var limit = 10
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        try await reporting {
            let answer = try await connection.client().request("GET", "/api/v1/model-spend?limit=\(limit)")
            show(json ? answer.text.text : Self.text(answer))
        }
    }

    private static func text(_ answer: JSONValue) -> String {
        let summary = answer["summary"] ?? .null
        func amount(_ value: JSONValue?) -> String { value.map { $0.text.text } ?? "-" }
        var lines = [
            "\(amount(summary["total_estimated_spend_usd"])) USD since "
                + "\(summary["period_start"]?.string?.prefix(10) ?? "-"), of "
                + "\(amount(summary["total_budget_usd"])) USD in \(amount(summary["budgeted_model_count"])) budgets; "
                + "\(amount(summary["near_budget_count"])) near, \(amount(summary["blocked_count"])) reached"
        ]
        guard case .array(let items)? = answer["top_models"] else { return lines.joined(separator: "\n") }
        let rows =
            [["AGENT", "MODEL", "SPENT USD", "BUDGET USD", "STATUS"]]
            + items.map { item in
                [
                    item["agent_name"]?.string.flatMap { $0.isEmpty ? nil : $0 } ?? "-", item["label"]?.string ?? "-",
                    amount(item["estimated_spend_usd"]), amount(item["monthly_budget_usd"]),
                    item["status"]?.string ?? "-",
                ]
            }
        let widths = (0..<5).map { column in rows.map { $0[column].count }.max() ?? 0 }
        for row in rows {
            let cells = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
            lines.append(cells.joined(separator: "  "))
        }
        return lines.joined(separator: "\n")
    }
}
