import ArgumentParser
import Daemon
import Domain

/// Lists what waits for approvers, each with everything that a decision depends on.
struct Approvals: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show the calls and requests that wait for a decision, with their bodies.",
        discussion: "The key that this needs is read from SLUICE_API_KEY.")

    @OptionGroup var connection: Keys.Connection
    @Option(help: "Maximum number of requests to show, newest first.") var limit = 20
    @Flag(help: "Print JSON, a line a request.") var json = false

    func validate() throws {
        if !(1...200).contains(limit) { throw ValidationError("--limit must be between 1 and 200") }
    }

    func run() async throws {
        try await reporting {
            let client = try await connection.client()
            let path = "/api/v1/approvals/requests"
            let list = try await client.request("GET", "\(path)?limit=\(limit)")
            guard case .array(let requests) = list else {
                throw DaemonError(.requestRefused, "the daemon's answer is no list of requests")
            }
            if requests.isEmpty, !json { tell("no request waits for a decision") }
            for id in requests.compactMap({ $0["id"]?.string }) {
                let request = try await client.request("GET", "\(path)/\(id)")
                show(json ? request.text.text : "\(id)\n\(WaitingCall(document: request).text)\n")
            }
        }
    }
}
