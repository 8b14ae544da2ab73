import ArgumentParser
import Daemon
import Domain

/// The treatment of unfinished runs while something is stopped.
enum HeldRuns: String, ExpressibleByArgument, CaseIterable {
    case hold, cancel
}

/// Sends a stop or a start, and prints what is in force after it.
enum Control {
    static func send(
        _ verb: String, at path: String, _ connection: Keys.Connection, reason: String?, runs: HeldRuns? = nil
    ) async throws {
        var members: [JSONValue.Member] = []
        if let reason { members.append(.init(name: "reason", value: .string(reason))) }
        if let runs { members.append(.init(name: "runs", value: .string(runs.rawValue))) }
        try await reporting {
            let answer = try await connection.client().request("POST", "/api/v1/\(path)/\(verb)", .object(members))
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

        @OptionGroup var connection: Keys.Connection
        @Argument(help: "The agent.") var name: String
        @Option(help: "The reason, for the record.") var reason: String?
        @Option(help: "Hold unfinished and new runs until the start, or cancel and refuse them.")
        var runs: HeldRuns = .hold

        func run() async throws {
            try await Control.send("stop", at: "agents/\(name.percentEncoded)", connection, reason: reason, runs: runs)
        }
    }

    struct Start: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lift the stop of an agent; held runs continue.")

        @OptionGroup var connection: Keys.Connection
        @Argument(help: "The agent.") var name: String
        @Option(help: "The reason, for the record.") var reason: String?

        func run() async throws {
            try await Control.send("start", at: "agents/\(name.percentEncoded)", connection, reason: reason)
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

        @OptionGroup var connection: Keys.Connection
        @Argument(help: "The tool.") var name: String
        @Option(help: "The reason, for the record.") var reason: String?

        func run() async throws {
            try await Control.send("stop", at: "tools/\(name.percentEncoded)", connection, reason: reason)
        }
    }

    struct Start: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lift the stop of a tool.")

        @OptionGroup var connection: Keys.Connection
        @Argument(help: "The tool.") var name: String
        @Option(help: "The reason, for the record.") var reason: String?

        func run() async throws {
            try await Control.send("start", at: "tools/\(name.percentEncoded)", connection, reason: reason)
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

        @OptionGroup var connection: Keys.Connection
        @Argument(help: "The workspace.") var name: String
        @Option(help: "The reason, for the record.") var reason: String?
        @Option(help: "Hold unfinished and new runs until the start, or cancel and refuse them.")
        var runs: HeldRuns = .hold

        func run() async throws {
            let path = "workspaces/\(name.percentEncoded)"
            try await Control.send("stop", at: path, connection, reason: reason, runs: runs)
        }
    }

    struct Start: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lift the stop of a workspace; held runs continue.")

        @OptionGroup var connection: Keys.Connection
        @Argument(help: "The workspace.") var name: String
        @Option(help: "The reason, for the record.") var reason: String?

        func run() async throws {
            try await Control.send("start", at: "workspaces/\(name.percentEncoded)", connection, reason: reason)
        }
    }
}
