import ArgumentParser
import Daemon
import Domain

extension Policies {
    struct Backtest: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show what a policy would have meant for the calls of tools that are recorded.",
            discussion: """
                FILE holds the policy as JSON, as it would be stored: {"name": ..., "spec": {...}}. Each recorded call is \
                judged by the agents, tools and policies of today, with the policy among them in place of a stored one \
                of its name. Nothing is stored.
                """)

        private static let fileBytesMax = 1024 * 1024
        private static let timeout = Duration.seconds(600)

        @OptionGroup var connection: Keys.Connection
        @Option(help: "A file with the policy; - is standard input.") var policy: String
        @Option(help: "How far back: a duration such as 30d, an RFC 3339 time, or a position.") var since = "30d"
        @Option(help: "An agent to bind the policy to, beside those that name it; may be given more than once.")
        var agent: [String] = []
        @Option(help: "How many calls to show of each outcome.") var examples: UInt8 = 5
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            try await reporting {
                let body = JSONValue.object([
                    .init(name: "policy", value: try Self.read(policy)), .init(name: "since", value: .string(since)),
                    .init(name: "agents", value: .array(agent.map(JSONValue.string))),
                    .init(name: "examples", value: .number(String(examples))),
                ])
                let answer = try await connection.client().request(
                    "POST", "/api/v1/policies/backtest", body, timeout: Self.timeout)
                show(json ? answer.text.text : Self.text(answer))
            }
        }

        private static func read(_ path: String) throws -> JSONValue {
            let bytes = try TextFile(path).bytes(max: fileBytesMax)
            do throws(JSONError) {
                return try JSONValue(parsing: bytes)
            } catch {
                throw DaemonError(.configuration, "\(path) is no JSON: \(error.message)")
            }
        }

        private static func text(_ answer: JSONValue) -> String {
            var lines = [
                "\(number(answer, "calls")) calls at positions \(number(answer, "from_position")) to "
                    + "\(number(answer, "to_position")), in \(number(answer, "elapsed_ms")) ms",
                "\(number(answer, "differ_from_then")) would be decided otherwise than they were, "
                    + "\(number(answer, "differ_from_today")) otherwise than today",
            ]
            if number(answer, "not_judged") != "0" {
                lines.append("\(number(answer, "not_judged")) calls are recorded too shortly to be judged")
            }
            let agents = answer["bound_agents"].strings
            lines.append(
                agents.isEmpty
                    ? "no agent is bound to it: nothing can change; bind one with --agent"
                    : "bound to \(agents.joined(separator: ", "))")
            for outcome in answer["outcomes"].elements {
                let words = ["then", "today", "proposed"].map { "\($0) \(outcome[$0]?.string ?? "-")" }
                lines.append("\(number(outcome, "calls"))  \(words.joined(separator: ", "))")
                for example in outcome["examples"].elements {
                    let address = example["url"]?.string ?? example["path"]?.string ?? ""
                    lines.append(
                        "    \(number(example, "position"))  \(example["agent"]?.string ?? "")  "
                            + "\(example["method"]?.string ?? "") \(address)  (\(example["reason"]?.string ?? ""))")
                }
            }
            return lines.joined(separator: "\n")
        }

        private static func number(_ value: JSONValue, _ name: String) -> String { value[name]?.text.text ?? "0" }
    }
}
