package import Domain

/// What approvers are told of something that waits for them.
package struct ApprovalMessage: Hashable, Sendable {
    package let deliveryID: DeliveryID
    package let workspace: WorkspaceName
    package let subject: DeliverySubject
    package let agent: String?
    /// Whom the agent works for, or who asks.
    package let user: String
    package let tool: String
    package let capability: String?
    package let method: String?
    package let url: String?
    /// The origin of the tool, which a request that names no URL does not show otherwise.
    package var toolOrigin: String?
    package let payloadHash: String?
    /// Why it needs an approval.
    package let reason: String?
    /// The approvals that are needed; `nil` when no policy is about it.
    package let approvers: RequiredApproval?
    package let expiresAt: Timestamp
    /// The calls that a grant covers, for a request that a client made.
    package var covers: String?
    /// Whether an approval has to be signed with the approver's own SSH key, which no link can do.
    package var needsSignature = false
    /// The groups of all approvals that are needed; none is any approver.
    var groups: [String] { approvers?.groups ?? [] }
    /// The bound headers of a call that the gate blocked, as a JSON object, and their digest.
    package var headers: JSONText?
    package var headersHash: String?
    /// Where it is decided; `nil` when the message has no link that decides.
    package var link: String?
    package var isTest = false

    var title: String {
        isTest ? "Sluice: a test of this connector" : "Approval needed: \(agent ?? user) wants to use \(tool)"
    }

    /// Names and values for a message, in the order to show them; each is shown as far as it fits.
    var shownFacts: [(name: String, value: String)] {
        var shown = facts.map { (name: $0.name, value: Self.cut($0.value, Self.factCharactersMax)) }
        if let headers = headers?.text, headers != "{}" {
            shown.append((name: "Headers", value: Self.cut(headers, Self.headersCharactersMax)))
        }
        return shown + identifiers
    }

    /// The beginning of a value, and a note when there is more.
    static func cut(_ value: String, _ charactersMax: Int) -> String {
        guard value.count > charactersMax else { return value }
        return value.prefix(charactersMax - cutNote.count) + cutNote
    }

    /// The facts that a decision depends on, whole and in the order to show them, without headers and body.
    package var facts: [(name: String, value: String)] {
        let call = [method, url].compactMap { $0 }.joined(separator: " ")
        return Self.shown([
            ("Agent", agent), ("User", user), ("Tool", tool), ("Origin", toolOrigin), ("Capability", capability),
            ("Call", call.isEmpty ? nil : call), ("Covers", covers), ("Reason", reason),
            ("Approvers", approvers?.approversText), ("Expires", expiresAt.description),
        ])
    }

    /// The hashes and ids that name the request, for programs and records.
    package var identifiers: [(name: String, value: String)] {
        Self.shown([
            ("Payload hash", payloadHash), ("Headers hash", headersHash), ("Run", subject.runID?.description),
            ("Action", subject.actionID?.description), ("Request", subject.requestID?.description),
        ])
    }

    private static func shown(_ all: [(String, String?)]) -> [(name: String, value: String)] {
        all.compactMap { name, value in
            value.flatMap { $0.isEmpty ? nil : (name, $0) }
        }
    }

    /// What to do, in a sentence.
    var hint: String {
        if isTest { return "Nothing waits for a decision." }
        if let signing { return signing }
        return link == nil
            ? "Decide it with an API key or a token of your own, at \(decisionPath)."
            : "Open the link to see it and decide. The link decides once, and for this alone."
    }

    /// How an approval is signed, where it has to be; `nil` where it has not.
    package var signing: String? {
        guard needsSignature, case .action(let run, let action, _) = subject else { return nil }
        return
            "An approval has to be signed with your own SSH key, which a link or a button cannot do: use `sluice approve "
            + "--run \(run) --action \(action) --sign-with KEY`."
            + (link == nil ? "" : " The link shows it, and can reject it.")
    }

    private static let cutNote = "… (cut; the request shows all)"
    private static let factCharactersMax = 1_000
    /// Fewer than any service cuts, so that a message always says that there is more.
    private static let headersCharactersMax = 370

    private var decisionPath: String {
        switch subject {
        case .action(let run, let action, nil): "/runs/\(run)/actions/\(action)/approve"
        case .action(_, _, let request?), .request(let request): "/approvals/requests/\(request)/approve"
        }
    }
}

/// How it came out.
package struct ApprovalOutcome: Hashable, Sendable {
    package enum Decision: String, Hashable, Sendable {
        case approved, rejected, expired
        /// Its run came to an end.
        case closed
    }

    package let decision: Decision
    package let approver: String?
    package let reason: String?

    var sentence: String {
        let word =
            switch decision {
            case .approved: "Approved"
            case .rejected: "Rejected"
            case .expired: "Expired without a decision"
            case .closed: "Closed: the run has ended"
            }
        return word + (approver.map { " by \($0)" } ?? "") + (reason.map { ": \($0)" } ?? "")
    }
}
