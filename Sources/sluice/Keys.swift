import ArgumentParser
import Daemon
import Domain

extension Role: ExpressibleByArgument {}

struct Keys: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make, list, rotate and revoke API keys of a running daemon.",
        discussion: "The admin's key that this needs is read from SLUICE_API_KEY.",
        subcommands: [Create.self, List.self, Rotate.self, Revoke.self])

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
        @Option(help: "admin, operator, approver, agent or viewer.") var role: Role = .operator
        @Option(help: "The workspace it belongs to.") var workspace: String?
        @Option(name: .customLong("expires-in-days"), help: "Days until it ends; never when left out.")
        var expiresInDays: UInt16?
        @Option(help: "A group of approvers that the key stands for; may be given more than once.")
        var group: [String] = []
        @Option(help: "The one agent that a key of role agent is for.") var agent: String?
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            try await reporting {
                var members = [
                    JSONValue.Member(name: "name", value: .string(name)),
                    JSONValue.Member(name: "role", value: .string(role.rawValue)),
                ]
                if let workspace { members.append(.init(name: "workspace", value: .string(workspace))) }
                if !group.isEmpty { members.append(.init(name: "groups", value: .array(group.map(JSONValue.string)))) }
                if let agent { members.append(.init(name: "agent", value: .string(agent))) }
                if let expiresInDays {
                    members.append(.init(name: "expiresInDays", value: .number(String(expiresInDays))))
                }
                let answer = try await connection.client().request("POST", "/api/v1/auth/api-keys", .object(members))
                show(json ? answer.text.text : answer["token"]?.string ?? "")
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the keys, without their text.")

        @OptionGroup var connection: Connection
        @Flag(help: "Print JSON, a line a key.") var json = false

        func run() async throws {
            try await reporting {
                guard case .array(let keys) = try await connection.client().request("GET", "/api/v1/auth/api-keys")
                else { throw DaemonError(.requestRefused, "the daemon's answer is no list of keys") }
                for key in keys {
                    let words = ["id", "role", "workspace", "prefix", "name"].map { key[$0]?.string ?? "-" }
                    show(json ? key.text.text : words.joined(separator: "  "))
                }
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

    private static func checkID(_ id: String) throws {
        if APIKeyID(id) == nil {
            throw ValidationError("the id must be a key's id, as `sluice keys list` shows it")
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Revoke a key, at once and for ever.")

        @OptionGroup var connection: Connection
        @Argument(help: "The key's id, as list shows it.") var id: String

        func validate() throws { try Keys.checkID(id) }

        func run() async throws {
            try await reporting {
                _ = try await connection.client().request("DELETE", "/api/v1/auth/api-keys/\(id)")
                show("revoked \(id)")
            }
        }
    }
}
