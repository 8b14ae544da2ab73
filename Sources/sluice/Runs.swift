import ArgumentParser
import Daemon
import Domain

struct Runs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show and cancel runs of a running daemon.",
        discussion: "The key that this needs is read from SLUICE_API_KEY.",
        subcommands: [ShowRun.self, Cancel.self])

    struct Cancel: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Cancel the unfinished runs that a filter selects; without --yes, show how many these are.")

        @OptionGroup var connection: Keys.Connection
        @Option(
            help: """
                NAME=VALUE, with the names agent, status, user, conversation, tool, key, error, q, created-after, \
                created-before, updated-after and updated-before; may be given more than once, and all of them count.
                """)
        var filter: [String] = []
        @Flag(help: "Select all unfinished runs of the workspace.") var all = false
        @Option(help: "The reason, for the record.") var reason: String?
        @Flag(help: "Cancel them.") var yes = false
        @Flag(name: .customLong("dry-run"), help: "Show how many there are, and some of them; the default.")
        var isDryRun = false

        private static let members = [
            "agent": "agent_id", "status": "status", "user": "user_id", "conversation": "conversation_id",
            "tool": "tool", "key": "created_by_key",
            "error": "error", "q": "q", "created-after": "created_after", "created-before": "created_before",
            "updated-after": "updated_after", "updated-before": "updated_before",
        ]

        func validate() throws {
            if yes, isDryRun { throw ValidationError("--yes and --dry-run contradict each other") }
            if filter.isEmpty, !all { throw ValidationError("give a --filter, or --all for all unfinished runs") }
            _ = try filters()
        }

        func run() async throws {
            try await reporting {
                let client = try await connection.client()
                let preview = try await client.request("POST", "/api/v1/runs/cancel", try body(isPreview: true))
                guard yes else { return Self.printPreview(preview) }
                var cancelled = 0
                while true {
                    let answer = try await client.request("POST", "/api/v1/runs/cancel", try body(isPreview: false))
                    let count = Self.number(answer["cancelled"])
                    cancelled += count
                    if count == 0 || Self.number(answer["remaining"]) == 0 { break }
                    tell("\(cancelled) cancelled")
                }
                show("\(cancelled) runs cancelled")
            }
        }

        private static func printPreview(_ preview: JSONValue) {
            show("\(number(preview["matched"])) unfinished runs match; --yes cancels them")
            guard case .array(let runs)? = preview["sample"] else { return }
            for run in runs {
                show(
                    ["id", "agent_id", "user_id", "status", "created_at"].map { run[$0]?.string ?? "-" }
                        .joined(separator: "  "))
            }
        }

        private static func number(_ value: JSONValue?) -> Int {
            guard case .number(let text)? = value else { return 0 }
            return Int(text) ?? 0
        }

        private func filters() throws -> [JSONValue.Member] {
            try filter.map { text in
                let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
                guard parts.count == 2, let member = Self.members[parts[0]] else {
                    let known = Self.members.keys.sorted().joined(separator: ", ")
                    throw ValidationError("--filter must be NAME=VALUE with one of \(known), not \(text)")
                }
                return JSONValue.Member(name: member, value: .string(parts[1]))
            }
        }

        private func body(isPreview: Bool) throws -> JSONValue {
            var members = try filters() + [.init(name: "dry_run", value: .bool(isPreview))]
            if all { members.append(.init(name: "all", value: .bool(true))) }
            if let reason { members.append(.init(name: "reason", value: .string(reason))) }
            return .object(members)
        }
    }
}
