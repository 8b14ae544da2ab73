import ArgumentParser
import Daemon
import Domain
import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What `sluice approve` and `sluice reject` share: what is decided on, and the signature.
struct DecisionOptions: ParsableArguments {
    @Option(help: "The run's id, with --action.") var run: String?
    @Option(help: "The blocked action's id.") var action: String?
    @Option(help: "The id of a request for access, in the place of --run and --action.") var request: String?
    @Option(help: "Why.") var reason: String?
    @Option(
        name: .customLong("sign-with"),
        help: "Sign with this SSH key: a private key's file, or the public key's of one that ssh-agent or a token has.")
    var signWith: String?
    @Flag(help: "Do not ask before signing.") var yes = false
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
        default: throw ValidationError("name what is decided on: --run and --action, or --request")
        }
    }

    /// Shows what is decided on, signs that very text where a key is given, and sends the decision.
    ///
    /// - Parameter grant: what an approval of a request grants, as it is asked for.
    func decide(_ decision: String, grant: [(name: String, value: String)] = []) async throws {
        let (client, path) = (try await connection.client(), try path())
        let query = (["decision=\(decision)"] + grant.map { "\($0.name)=\($0.value.percentEncoded)" })
        let asked = try await client.request("GET", "\(path)/statement?" + query.joined(separator: "&"))
        guard let statement = asked["statement"]?.string, let namespace = asked["namespace"]?.string else {
            throw DaemonError(.requestRefused, "the daemon's answer has no statement")
        }
        tell(statement.trimmed)
        if let headers = asked["tool_headers"], headers != .null { tell("tool-headers: \(headers.text.text)") }
        if let covers = asked["covers"]?.string { tell("covers: \(covers)") }
        var body = grant.map { JSONValue.Member(name: $0.name, value: .string($0.value)) }
        if let reason { body.append(.init(name: "reason", value: .string(reason))) }
        // An approval is for the bytes that were shown; a rejection is for none.
        if decision == "approve", let hash = asked["payload_hash"], hash != .null {
            body.append(.init(name: "payload_hash", value: hash))
        }
        if let signWith {
            guard try yes || ask("Sign this with \(signWith)? [y/N] ") else {
                throw DaemonError(.configuration, "nothing was signed and nothing was sent")
            }
            let signature = try await SSHKeygen(key: signWith).sign(statement, namespace: namespace)
            body.append(.init(name: "signature", value: .string(signature)))
        }
        let answer = try await client.request("POST", "\(path)/\(decision)", .object(body))
        let status = answer["status"]?.string ?? decision
        let followed = status == "BLOCKED" || status == "PENDING" ? "; others have to approve as well" : ""
        show(json ? answer.text.text : status + followed)
    }
}

struct Approve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Approve a blocked action or a request for access, signed with an SSH key where one is given.",
        discussion: """
            The statement that is decided on, and signed, is shown first. `ssh-keygen` signs it, so that ssh-agent, \
            passphrases and security keys work as they do there. The approver's key is read from SLUICE_API_KEY.
            """)

    @OptionGroup var options: DecisionOptions
    @Option(help: "What a request's approval covers: once, run or agent_user_ttl.") var scope: String?
    @Option(help: "How long it does, such as 4h.") var duration: String?

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

/// Asks whoever is there. Where nobody can be asked, the answer has to be given beforehand.
private func ask(_ question: String) throws(DaemonError) -> Bool {
    guard isatty(FileDescriptor.standardInput.rawValue) == 1 else {
        throw DaemonError(.configuration, "nobody can be asked whether to sign this: say --yes when you have read it")
    }
    tell(question)
    return ["y", "yes"].contains(readLine()?.trimmed.lowercased() ?? "")
}
