import Domain

/// A call or request that waits for approvers, as the command line shows it: everything that a decision depends on.
struct WaitingCall: Sendable {
    private static let bodyCharactersMax = 4096
    private static let nameWidth = 12

    /// The action or access request, as a GET of it answers.
    let document: JSONValue
    /// The run of an action; an access request has its own agent and subject.
    var run: JSONValue = .null
    /// The calls that the grant in question covers; without it, the document's own.
    var covers: String?

    /// The facts, a name and a value to a line, then the body.
    var text: String {
        facts.flatMap { name, value in
            TerminalText.lines(value).enumerated().map { index, line in
                let label = index == 0 ? name + ":" : ""
                return label + String(repeating: " ", count: Self.nameWidth - label.count) + line
            }
        }.joined(separator: "\n")
    }

    private var facts: [(String, String)] {
        let call = [text("tool_method"), text("tool_url")].compactMap { $0 }.joined(separator: " ")
        let all: [(String, String?)] = [
            ("agent", text("agent_id") ?? run["agent_id"]?.string),
            ("user", text("subject") ?? run["user_id"]?.string),
            ("tool", text("tool_id")), ("origin", call.isEmpty ? text("tool_origin") : nil),
            ("capability", text("capability")), ("call", call), ("covers", covers ?? text("covers")),
            ("body", body), ("headers", headers), ("reason", text("message")), ("approvers", approvers),
            ("expires", text("expires_at")),
        ]
        return all.compactMap { name, value in value.flatMap { $0.isEmpty ? nil : (name, $0) } }
    }

    private func text(_ name: String) -> String? { document[name]?.string }

    private var body: String? {
        if let text = text("payload") {
            let isCut = text.count > Self.bodyCharactersMax
            return text.isEmpty
                ? "(empty)" : text.prefix(Self.bodyCharactersMax) + (isCut ? "\n… (cut; --json shows all)" : "")
        }
        if let bytes = text("payload_base64") {
            let isCut = bytes.count > Self.bodyCharactersMax
            return "(binary, in base64)\n" + bytes.prefix(Self.bodyCharactersMax)
                + (isCut ? "\n… (cut; --json shows all)" : "")
        }
        return text("payload_note").map { "(\($0))" }
    }

    private var headers: String? {
        guard case .object(let members)? = document["tool_headers"] else { return nil }
        return members.map { "\($0.name): \($0.value.string ?? $0.value.text.text)" }.joined(separator: "\n")
    }

    private var approvers: String? {
        let groups = document["approver_groups"].strings
        let names = groups.joined(separator: ", ")
        let who =
            switch text("approver_match") {
            case "clauses": Self.clauses(document["approver_clauses"])
            case _ where groups.isEmpty: text("approver_match").map { _ in "any approver" }
            case "all": "one of each of \(names)"
            default: "one of \(names)"
            }
        return who.map { $0 + (document["signature_required"] == .bool(true) ? "; signed with --sign-with" : "") }
    }

    private static func clauses(_ value: JSONValue?) -> String? {
        guard case .array(let clauses)? = value else { return nil }
        return clauses.map { "one of \($0.strings.joined(separator: ", "))" }.joined(separator: ", and ")
    }
}
