import ArgumentParser
import Daemon
import Domain

extension Role: ExpressibleByArgument {}

struct Keys: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make, list, rotate and revoke API keys of a running daemon.",
        discussion: "The admin's key that this needs is read from SLUICE_API_KEY.",
        subcommands: [Create.self, ListKeys.self, Rotate.self, RevokeKey.self])

    struct Connection: ParsableArguments {
        @Option(help: "Where the daemon listens.") var url = "http://127.0.0.1:8092"

        func client() async throws -> APIClient {
            let settings = try await Settings.load(flags: [:], file: nil)
            let key = settings.text(.apiKey)
            guard !key.isEmpty else {
                throw DaemonError(.notPermitted, "SLUICE_API_KEY is not set: it must hold an admin's key")
            }
            return APIClient(url: url, key: key)
        }
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Make a key; its text is shown this once.")

        @OptionGroup var connection: Connection
        @Option(help: "What the key is for.") var name: String
        @Option(help: "admin, operator, approver, agent, viewer or metrics.") var role: Role = .operator
        @Option(help: "The workspace it belongs to.") var workspace: String?
        @Option(name: .customLong("expires-in-days"), help: "Days until it ends; never when left out.")
        var expiresInDays: UInt16?
        @Option(help: "A group of approvers that the key stands for; may be given more than once.")
        var group: [String] = []
        @Flag(name: .customLong("only-groups"), help: "The key decides only on requests that name one of its groups.")
        var isOnlyForGroups = false
        @Option(help: "The one agent that a key of role agent is for.") var agent: String?
        @Flag(name: .customLong("any-agent"), help: "The key of role agent may speak for every agent of the workspace.")
        var isForAnyAgent = false
        @Flag(help: "Print JSON.") var json = false

        func validate() throws {
            if isOnlyForGroups, group.isEmpty { throw ValidationError("--only-groups needs --group") }
            if role == .agent, agent == nil, !isForAnyAgent {
                throw ValidationError("a key of role agent needs --agent NAME, or --any-agent for every agent")
            }
            if isForAnyAgent, agent != nil || role != .agent {
                throw ValidationError("--any-agent is for a key of role agent without --agent")
            }
        }

        func run() async throws {
            try await reporting {
                var members = [
                    JSONValue.Member(name: "name", value: .string(name)),
                    JSONValue.Member(name: "role", value: .string(role.rawValue)),
                ]
                if let workspace { members.append(.init(name: "workspace", value: .string(workspace))) }
                if !group.isEmpty { members.append(.init(name: "groups", value: .array(group.map(JSONValue.string)))) }
                if isOnlyForGroups { members.append(.init(name: "only_groups", value: .bool(true))) }
                if let agent { members.append(.init(name: "agent", value: .string(agent))) }
                if isForAnyAgent { members.append(.init(name: "any_agent", value: .bool(true))) }
                if let expiresInDays {
                    members.append(.init(name: "expiresInDays", value: .number(String(expiresInDays))))
                }
                let answer = try await connection.client().request("POST", "/api/v1/auth/api-keys", .object(members))
                show(json ? answer.text.text : answer["token"]?.string ?? "")
            }
        }
    }

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give a key another text, which is shown this once; everything else of the key stays.")

        @OptionGroup var connection: Connection
        @Argument(help: "The key's id, as list shows it.") var id: String
        @Option(name: .customLong("expires-in-days"), help: "Days until it ends; as before when left out.")
        var expiresInDays: UInt16?
        @Option(help: "How long the old text is good too, such as 1h; not at all when left out.") var grace: String?
        @Flag(help: "Print JSON.") var json = false

        func validate() throws { try Keys.checkID(id) }

        func run() async throws {
            try await reporting {
                var members: [JSONValue.Member] = []
                if let expiresInDays {
                    members.append(.init(name: "expiresInDays", value: .number(String(expiresInDays))))
                }
                if let grace { members.append(.init(name: "grace", value: .string(grace))) }
                let answer = try await connection.client().request(
                    "POST", "/api/v1/auth/api-keys/\(id)/rotate", .object(members))
                show(json ? answer.text.text : answer["token"]?.string ?? "")
            }
        }
    }

    static func checkID(_ id: String) throws {
        if APIKeyID(id) == nil {
            throw ValidationError("the id must be a key's id, as `sluice keys list` shows it")
        }
    }
}
