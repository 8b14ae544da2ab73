import ArgumentParser
import Daemon
import Domain

/// The treatment of unfinished runs while something is stopped.
enum HeldRuns: String, ExpressibleByArgument, CaseIterable {
    case hold, cancel
}

/// The options of every stop and start: the connection, and the reason for the record.
struct ControlOptions: ParsableArguments {
    @OptionGroup var connection: Keys.Connection
    @Option(help: "The reason, for the record.") var reason: String?

    /// Sends the stop or the start of a member of `collection`, and prints what is in force after it.
    func send(_ verb: String, _ collection: String, _ name: String, runs: HeldRuns? = nil) async throws {
        var members: [JSONValue.Member] = []
        if let reason { members.append(.init(name: "reason", value: .string(reason))) }
        if let runs { members.append(.init(name: "runs", value: .string(runs.rawValue))) }
        let path = "/api/v1/\(collection)/\(name.percentEncoded)/\(verb)"
        try await reporting {
            let answer = try await connection.client().request("POST", path, .object(members))
            let kind = answer["kind"]?.string ?? ""
            let runs = answer["runs"]?.string.map { kind == "tool" ? "" : "; runs: \($0)" } ?? ""
            show("\(kind) \(answer["name"]?.string ?? "") \(answer["status"]?.string ?? verb)\(runs)")
        }
    }
}

extension Agents {
    struct Stop: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End an agent's processes and calls at once, and start nothing of it until it is started again.")

        @OptionGroup var options: ControlOptions
        @Argument(help: "The agent.") var name: String
        @Option(help: "Hold unfinished and new runs until the start, or cancel and refuse them.")
        var runs: HeldRuns = .hold

        func run() async throws {
            try await options.send("stop", "agents", name, runs: runs)
        }
    }

    struct Start: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lift the stop of an agent; held runs continue.")

        @OptionGroup var options: ControlOptions
        @Argument(help: "The agent.") var name: String

        func run() async throws {
            try await options.send("start", "agents", name)
        }
    }
}

struct Tools: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Stop and start tools of a running daemon.",
        discussion: "The key that this needs is read from SLUICE_API_KEY.", subcommands: [Stop.self, Start.self])

    struct Stop: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End all calls of a tool at once, and refuse others until it is started again.")

        @OptionGroup var options: ControlOptions
        @Argument(help: "The tool.") var name: String

        func run() async throws {
            try await options.send("stop", "tools", name)
        }
    }

    struct Start: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lift the stop of a tool.")

        @OptionGroup var options: ControlOptions
        @Argument(help: "The tool.") var name: String

        func run() async throws {
            try await options.send("start", "tools", name)
        }
    }
}

struct Workspaces: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Stop and start all agents of a workspace.",
        discussion: "The key that this needs is read from SLUICE_API_KEY.", subcommands: [Stop.self, Start.self])

    struct Stop: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End the processes and calls of all agents of a workspace, until it is started again.")

        @OptionGroup var options: ControlOptions
        @Argument(help: "The workspace.") var name: String
        @Option(help: "Hold unfinished and new runs until the start, or cancel and refuse them.")
        var runs: HeldRuns = .hold

        func run() async throws {
            try await options.send("stop", "workspaces", name, runs: runs)
        }
    }

    struct Start: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lift the stop of a workspace; held runs continue.")

        @OptionGroup var options: ControlOptions
        @Argument(help: "The workspace.") var name: String

        func run() async throws {
            try await options.send("start", "workspaces", name)
        }
    }
}
