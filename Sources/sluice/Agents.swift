import ArgumentParser
import Daemon
import Domain
import SystemPackage

struct Agents: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List, stop and start agents of a running daemon; show what they write, and how they were built.",
        discussion: "The key that this needs is read from SLUICE_API_KEY.",
        subcommands: [List.self, Logs.self, BuildLog.self, Stop.self, Start.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List agents and their states.")

        @OptionGroup var connection: Keys.Connection
        @Flag(help: "Print JSON, a line an agent.") var json = false

        func run() async throws {
            try await reporting {
                guard case .array(let agents) = try await connection.client().request("GET", "/api/v1/agents") else {
                    throw DaemonError(.requestRefused, "the daemon's answer is no list of agents")
                }
                for agent in agents { show(json ? agent.text.text : Self.line(agent)) }
            }
        }

        private static func line(_ agent: JSONValue) -> String {
            let message = agent["status"]?["message"]?.string ?? ""
            let first = message.split(whereSeparator: \.isNewline).first.map(String.init) ?? "-"
            return [agent["name"]?.string ?? "-", agent["status"]?["phase"]?.string ?? "-", first]
                .joined(separator: "  ")
        }
    }

    struct Logs: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show the newest of what an agent has written to its standard output and error.")

        @OptionGroup var connection: Keys.Connection
        @Argument(help: "The agent.") var name: String
        @Flag(name: [.short, .long], help: "Go on with what it writes from now on.") var follow = false

        func run() async throws {
            try await reporting {
                let (client, path) = (try await connection.client(), "/api/v1/agents/\(name.percentEncoded)/logs")
                if follow {
                    do {
                        return try await client.follow(path + "?follow=true") { bytes in
                            (try? FileDescriptor.standardOutput.writeAll(bytes)) != nil
                        }
                    } catch {
                        // The end of the key's access looks like a broken connection; the daemon says which it is.
                        _ = try await client.request("GET", path + "?after=\(Int64.max)")
                        throw error
                    }
                }
                var offset: UInt64 = 0
                while true {
                    let page = try await client.request("GET", path + "?after=\(offset)")
                    guard let text = page["text"]?.string, !text.isEmpty, case .number(let next)? = page["next"],
                        let position = UInt64(next), position > offset
                    else { return }
                    _ = try? FileDescriptor.standardOutput.writeAll(text.utf8)
                    offset = position
                }
            }
        }
    }

    struct BuildLog: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "build-log", abstract: "Show what the package installer said when the agent was built.")

        @OptionGroup var connection: Keys.Connection
        @Argument(help: "The agent.") var name: String

        func run() async throws {
            try await reporting {
                let path = "/api/v1/agents/\(name.percentEncoded)/build-log"
                let text = try await connection.client().request("GET", path)["text"]?.string ?? ""
                _ = try? FileDescriptor.standardOutput.writeAll(text.utf8)
            }
        }
    }
}
