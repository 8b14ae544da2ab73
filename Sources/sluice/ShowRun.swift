import ArgumentParser
import Daemon
import Domain

/// `sluice runs show`.
struct ShowRun: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show a run: its status, its result, and what became of its approved effects.")

    @OptionGroup var connection: Keys.Connection
    @Argument(help: "The run's id.") var id: String
    @Flag(help: "Print JSON.") var json = false

    private static let members = [
        "id", "agent_id", "user_id", "status", "reason", "blocked_action_id", "created_at", "updated_at",
    ]

    func validate() throws {
        if RunID(id) == nil { throw ValidationError("the id must be a run's id, as lists of runs show it") }
    }

    func run() async throws {
        try await reporting {
            let run = try await connection.client().request("GET", "/api/v1/runs/\(id)")
            guard !json else { return show(run.text.text) }
            for name in Self.members {
                if let value = run[name]?.string { show("\(name)  \(value)") }
            }
            if let effects = run["effects"] { show("effects  \(effects.text.text)") }
            if let note = run["result_note"]?.string { show("note  \(note)") }
            if let result = run["result"] { show("result  \(result.string ?? result.text.text)") }
        }
    }
}
