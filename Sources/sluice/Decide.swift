import ArgumentParser
import Daemon
import Domain
import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The options of `sluice approve` and `sluice reject`: the subject of the decision, and the signature.
struct DecisionOptions: ParsableArguments {
    @Option(help: "The run's id, with --action.") var run: String?
    @Option(help: "The blocked action's id.") var action: String?
    @Option(help: "The id of an approval request, instead of --run and --action.") var request: String?
    @Option(help: "The reason, for the record.") var reason: String?
    @Option(
        name: .customLong("sign-with"),
        help: "Sign with this SSH key: a private key's file, or the public key's of one that ssh-agent or a token has.")
    var signWith: String?
    @Flag(help: "Decide without asking for a confirmation.") var yes = false
    @Flag(help: "Print JSON.") var json = false
    @OptionGroup var connection: Keys.Connection

    /// - Throws: `ValidationError` unless one thing is named.
    func path() throws -> String {
        switch (run, action, request) {
        case (let run?, let action?, nil):
            guard RunID(run) != nil, ActionID(action) != nil else {
                throw ValidationError("--run and --action must be ids")
            }
            return "/api/v1/runs/\(run)/actions/\(action)"
        case (nil, nil, let request?):
            guard AccessRequestID(request) != nil else { throw ValidationError("--request must be an id") }
            return "/api/v1/approvals/requests/\(request)"
        default: throw ValidationError("give --run and --action, or --request")
        }
    }

    /// Shows the call and the statement, asks for a confirmation, signs the statement where a key is given, and sends the
    /// decision.
    ///
    /// - Parameter grant: the scope and duration of an approval of a request, where they are given.
    func decide(_ decision: String, grant: [(name: String, value: String)] = []) async throws {
        let (client, path) = (try await connection.client(), try path())
        let query = (["decision=\(decision)"] + grant.map { "\($0.name)=\($0.value.percentEncoded)" })
        let asked = try await client.request("GET", "\(path)/statement?" + query.joined(separator: "&"))
        guard let statement = asked["statement"]?.string, let namespace = asked["namespace"]?.string else {
            throw DaemonError(.requestRefused, "the daemon's answer has no statement")
        }
        var call = WaitingCall(document: try await client.request("GET", path), covers: asked["covers"]?.string)
        if let run { call.run = try await client.request("GET", "/api/v1/runs/\(run)") }
        tell(call.text + "\n\n" + statement.trimmed)
        try confirm(decision)
        var body = grant.map { JSONValue.Member(name: $0.name, value: .string($0.value)) }
        if let reason { body.append(.init(name: "reason", value: .string(reason))) }
        // An approval is for the bytes that were shown; a rejection is for none.
        if decision == "approve", let hash = asked["payload_hash"], hash != .null {
            body.append(.init(name: "payload_hash", value: hash))
        }
        if let signWith {
            let signature = try await SSHKeygen(key: signWith).sign(statement, namespace: namespace)
            body.append(.init(name: "signature", value: .string(signature)))
        }
        let answer = try await client.request("POST", "\(path)/\(decision)", .object(body))
        let status = answer["status"]?.string ?? decision
        let followed = status == "BLOCKED" || status == "PENDING" ? "; others have to approve as well" : ""
        show(json ? answer.text.text : status + followed)
    }

    /// Asks at a terminal. Without one, a decision that is signed needs `--yes`, and any other is the command itself.
    private func confirm(_ decision: String) throws(DaemonError) {
        guard !yes else { return }
        guard isatty(FileDescriptor.standardInput.rawValue) == 1 else {
            guard signWith == nil else {
                throw DaemonError(
                    .configuration, "a signature needs a confirmation, and there is no terminal to ask at: add --yes")
            }
            return
        }
        let verb = decision == "approve" ? "Approve" : "Reject"
        tell("\n\(verb) this\(signWith.map { ", signed with \($0)" } ?? "")? [y/N] ")
        guard ["y", "yes"].contains(readLine()?.trimmed.lowercased() ?? "") else {
            throw DaemonError(.configuration, "not confirmed: nothing was signed and nothing was sent")
        }
    }
}

struct Approve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Approve a blocked action or a request for access, signed with an SSH key where one is given.",
        discussion: """
            The call, its body and the statement that a signature covers are shown first. At a terminal the command \
            asks for a confirmation. `ssh-keygen` signs, so ssh-agent, passphrases and security keys work as usual. \
            `sluice approvals` lists what waits. The approver's key is read from SLUICE_API_KEY.
            """)

    @OptionGroup var options: DecisionOptions
    @Option(help: "The scope of a request's grant: once, run or agent_user_ttl.") var scope: String?
    @Option(help: "The duration of the grant, such as 4h.") var duration: String?

    func validate() throws {
        _ = try options.path()
        if options.request == nil, scope != nil || duration != nil {
            throw ValidationError("--scope and --duration are for --request")
        }
    }

    func run() async throws {
        let grant = [("scope", scope), ("duration", duration)].compactMap { name, value in
            value.map { (name: name, value: $0) }
        }
        try await reporting { try await options.decide("approve", grant: grant) }
    }
}

struct Reject: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Reject a blocked action or a request for access, signed with an SSH key where one is given.")

    @OptionGroup var options: DecisionOptions

    func validate() throws { _ = try options.path() }

    func run() async throws { try await reporting { try await options.decide("reject") } }
}
