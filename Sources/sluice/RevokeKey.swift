import ArgumentParser
import Daemon
import Domain

/// `sluice keys revoke`.
struct RevokeKey: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "Revoke a key, at once and for ever, and list what was created and changed with it.")

    @OptionGroup var connection: Keys.Connection
    @Argument(help: "The key's id, as list shows it.") var id: String
    @Flag(name: .customLong("cancel-runs"), help: "Cancel the unfinished runs that were created with the key.")
    var cancelsRuns = false
    @Flag(name: .customLong("dry-run"), help: "List what was created with the key, and change nothing.")
    var isDryRun = false

    func validate() throws {
        try Keys.checkID(id)
        if isDryRun, cancelsRuns { throw ValidationError("--dry-run and --cancel-runs contradict each other") }
    }

    func run() async throws {
        try await reporting {
            let client = try await connection.client()
            let path = "/api/v1/auth/api-keys/\(id)"
            guard !isDryRun else { return Self.printCreated(try await client.request("GET", path + "/created")) }
            let answer = try await client.request("DELETE", path + (cancelsRuns ? "?cancel_runs=true" : ""))
            show("revoked \(id)")
            if cancelsRuns { show("\(try await cancelled(answer, client)) runs cancelled") }
            if let created = answer["created"] { Self.printCreated(created) }
        }
    }

    /// Cancels what the revocation left, and returns the number of all cancelled runs.
    private func cancelled(_ answer: JSONValue, _ client: APIClient) async throws -> Int {
        var count = Self.number(answer["cancelled"])
        guard Self.number(answer["remaining"]) > 0 else { return count }
        let body = JSONValue.object([
            .init(name: "created_by_key", value: .string(id)), .init(name: "dry_run", value: .bool(false)),
            .init(name: "reason", value: .string("its API key was revoked")),
        ])
        for workspace in answer["created"]?["unfinished_runs"].elements.compactMap({ $0["workspace"]?.string }) ?? [] {
            while true {
                let next = try await client.request("POST", "/api/v1/workspaces/\(workspace)/runs/cancel", body)
                count += Self.number(next["cancelled"])
                if Self.number(next["cancelled"]) == 0 || Self.number(next["remaining"]) == 0 { break }
            }
        }
        return count
    }

    private static func printCreated(_ created: JSONValue) {
        for runs in created["unfinished_runs"].elements {
            show("\(number(runs["count"])) unfinished runs in workspace \(runs["workspace"]?.string ?? "-")")
        }
        for resource in created["resources"].elements {
            let verb = resource["created"] == .bool(true) ? "created" : "changed"
            let words = ["kind", "name", "workspace", "time"].map { resource[$0]?.string ?? "-" }
            show("\(verb)  \(words.joined(separator: "  "))")
        }
        let hidden = number(created["resources_total"]) - created["resources"].elements.count
        if hidden > 0 { show("and \(hidden) more") }
    }

    private static func number(_ value: JSONValue?) -> Int {
        guard case .number(let text)? = value else { return 0 }
        return Int(text) ?? 0
    }
}
