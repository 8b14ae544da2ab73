import ArgumentParser
import Daemon
import Domain

struct Policies: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy", abstract: "Ask a running daemon what its policies say, or would say.",
        discussion: "The key that this needs is read from SLUICE_API_KEY.", subcommands: [Explain.self, Backtest.self])

    struct Explain: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show what is decided on a call, by which rule, and each step that led there.",
            discussion: "Exits with 0 when the call is allowed, 3 when it needs an approval, 4 when it is denied.")

        @Option(help: "Where the daemon listens.") var daemon = "http://127.0.0.1:8092"
        @Option(help: "The agent that makes the call.") var agent: String
        @Option(help: "The HTTP method.") var method: String
        @Option(help: "The URL that is called.") var url: String
        @Option(help: "The tool; else the one that the URL belongs to.") var tool: String?
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            try await reporting {
                var query = "agent=\(agent.inQuery)&method=\(method.inQuery)&url=\(url.inQuery)"
                if let tool { query += "&tool=\(tool.inQuery)" }
                var connection = Keys.Connection()
                connection.url = daemon
                let answer = try await connection.client().request("GET", "/api/v1/policies/explain?\(query)")
                show(json ? answer.text.text : Self.text(answer))
                switch answer["decision"]?.string {
                case "allow": return
                case "approval_required": throw ExitCode(3)
                default: throw ExitCode(4)
                }
            }
        }

        private static func text(_ answer: JSONValue) -> String {
            var lines: [String] = []
            if case .array(let steps)? = answer["steps"] {
                for (index, step) in steps.enumerated() {
                    lines.append(
                        "\(index + 1). \(step["stage"]?.string ?? ""): \(step["finding"]?.string ?? "")")
                }
            }
            lines.append("\(answer["decision"]?.string ?? ""): \(answer["reason"]?.string ?? "")")
            return lines.joined(separator: "\n")
        }
    }
}

extension String {
    /// The text as the value of a query's member: all but unreserved characters escaped.
    fileprivate var inQuery: String {
        let digits = Array("0123456789ABCDEF".utf8)
        let plain = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~".utf8)
        return String(
            decoding: utf8.flatMap { byte in
                plain.contains(byte) ? [byte] : [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }, as: UTF8.self)
    }
}
