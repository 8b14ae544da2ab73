import ArgumentParser
import Daemon
import Domain

struct Spend: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what models have cost, on a running daemon.",
        discussion: """
            Without --by and --since: this month, the dearest models first, beside the budgets. With them: calls, tokens and \
            cost by user, agent, model, provider or day. The key that this needs is read from SLUICE_API_KEY.
            """)

    @OptionGroup var connection: Keys.Connection
    @Option(help: "Group by user, agent, model, provider or day (model when --since is given).") var by: SpendGrouping?
    @Option(help: "Count from so many days or weeks ago (7d, 2w), or from a day (2026-01-31); days are those of UTC.")
    var since: String?
    @Option(help: "Maximum number of rows (10, with --by 1000).") var limit: Int?
    @Flag(help: "Print JSON.") var json = false

    func validate() throws {
        guard let since else { return }
        guard let day = CalendarDay(since: since, before: CalendarDay(daysSinceEpoch: 0)) else {
            throw ValidationError("--since must be days or weeks such as 7d or 2w, or a day such as 2026-01-31")
        }
        let daysMax = CalendarDay.usageDaysBackMax
        guard CalendarDay(since) != nil || -day.daysSinceEpoch <= daysMax else {
            throw ValidationError("--since may be \(daysMax) days ago at most, \(daysMax)d")
        }
    }

    func run() async throws {
        try await reporting {
            let isGrouped = by != nil || since != nil
            let answer = try await connection.client().request("GET", isGrouped ? usagePath : standingPath)
            show(json ? answer.text.text : isGrouped ? usage(answer) : Self.standing(answer))
        }
    }

    private var standingPath: String { "/api/v1/model-spend?limit=\(limit ?? 10)" }

    private var grouping: SpendGrouping { by ?? .model }

    private var usagePath: String {
        let path = "/api/v1/model-usage?group_by=\(grouping.rawValue)&limit=\(limit ?? 1_000)"
        return since.map { "\(path)&since=\($0)" } ?? path
    }

    private func usage(_ answer: JSONValue) -> String {
        let rows = answer["rows"]?.elements ?? []
        let members = [
            "calls", "failed_calls", "refused_calls", "unpriced_calls", "prompt_tokens", "cached_tokens",
            "completion_tokens",
        ]
        let cells = rows.map { row in
            [row[grouping.rawValue]?.string.flatMap { $0.isEmpty ? nil : $0 } ?? "-"]
                + (members + ["cost_usd"]).map { Self.amount(row[$0]) }
        }
        let header =
            [grouping.rawValue.uppercased()] + [
                "CALLS", "FAILED", "REFUSED", "UNPRICED", "PROMPT", "CACHED", "COMPLETION",
            ]
            + ["COST USD"]
        let total = answer["total"]
        let period = "from \(answer["from"]?.string ?? "-") to \(answer["to"]?.string ?? "-")"
        var lines = ["\(Self.amount(total?["cost_usd"])) USD \(period)"]
        lines += Self.table([header] + cells)
        if answer["has_more"] == .bool(true) { lines.append("there are more: raise --limit") }
        lines += Self.unpriced(total)
        return lines.joined(separator: "\n")
    }

    /// The line about calls that the sums leave out.
    private static func unpriced(_ sums: JSONValue?) -> [String] {
        guard case .number(let count)? = sums?["unpriced_calls"], count != "0" else { return [] }
        return [
            "\(count) \(count == "1" ? "call" : "calls") without a price, not in the sum: store the model provider "
                + "again with spec.prices of its models (sluice spend --by model shows which)"
        ]
    }

    private static func amount(_ value: JSONValue?) -> String { value.map { $0.text.text } ?? "-" }

    private static func standing(_ answer: JSONValue) -> String {
        let summary = answer["summary"] ?? .null
        let lines = [
            "\(amount(summary["total_estimated_spend_usd"])) USD since "
                + "\(summary["period_start"]?.string?.prefix(10) ?? "-"), of "
                + "\(amount(summary["total_budget_usd"])) USD in \(amount(summary["budgeted_model_count"])) budgets; "
                + "\(amount(summary["near_budget_count"])) near, \(amount(summary["blocked_count"])) reached"
        ]
        guard case .array(let items)? = answer["top_models"] else {
            return (lines + unpriced(summary)).joined(separator: "\n")
        }
        let rows =
            [["AGENT", "MODEL", "SPENT USD", "BUDGET USD", "STATUS"]]
            + items.map { item in
                [
                    item["agent_name"]?.string.flatMap { $0.isEmpty ? nil : $0 } ?? "-", item["label"]?.string ?? "-",
                    amount(item["estimated_spend_usd"]), amount(item["monthly_budget_usd"]),
                    item["status"]?.string ?? "-",
                ]
            }
        return (lines + table(rows) + unpriced(summary)).joined(separator: "\n")
    }

    /// Lines with columns of equal width.
    private static func table(_ rows: [[String]]) -> [String] {
        let rows = rows.map { $0.map { TerminalText.plain($0) } }
        let columns = rows.first?.count ?? 0
        let widths = (0..<columns).map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }.joined(separator: "  ")
        }
    }
}

/// The values of `--by`, in the words of the API.
enum SpendGrouping: String, ExpressibleByArgument {
    case user, agent, model, provider, day
}
