/// What an approver signs: a short text that says which decision it is, and of what.
///
/// It is made of what the events say alone, so that whoever has them makes the same text again. A line for each thing
/// that is known, in this order; nothing in a value can begin another line, or turn what is read around.
package struct DecisionStatement: Hashable, Sendable {
    package enum Decision: String, Hashable, Sendable { case approve, reject }

    /// What is decided on.
    package enum Subject: Hashable, Sendable {
        case action(ActionID, run: RunID)
        /// A request for access that no action of a run waits for: whose it is, and by which agent.
        case request(AccessRequestID, subject: String, agent: String?)
    }

    package static let version = "sluice-decision/1"

    package let workspace: WorkspaceName
    package let subject: Subject
    package let tool: String
    package let method: String?
    package let url: String?
    package let payloadHash: String?
    /// Digest of the bound headers of a call that the gate blocked.
    package let headersHash: String?

    package init(
        workspace: WorkspaceName, subject: Subject, tool: String, method: String?, url: String?, payloadHash: String?,
        headersHash: String?
    ) {
        self.workspace = workspace
        self.subject = subject
        self.tool = tool
        self.method = method
        self.url = url
        self.payloadHash = payloadHash
        self.headersHash = headersHash
    }

    package init(_ blocked: ActionBlocked, of run: RunID, in workspace: WorkspaceName) {
        self.init(
            workspace: workspace, subject: .action(blocked.actionID, run: run), tool: blocked.toolID,
            method: blocked.method, url: blocked.url, payloadHash: blocked.payloadHash?.text,
            headersHash: blocked.call?.headersHash?.text)
    }

    /// A request of a run is decided together with its action: both are one statement.
    package init(_ requested: AccessRequested, _ id: AccessRequestID, in workspace: WorkspaceName) {
        let subject: Subject =
            if let target = requested.run {
                .action(target.actionID, run: target.runID)
            } else {
                .request(id, subject: requested.subject, agent: requested.agentID)
            }
        self.init(
            workspace: workspace, subject: subject, tool: requested.toolID, method: requested.method,
            url: requested.url, payloadHash: requested.payloadHash?.text, headersHash: requested.headersHash?.text)
    }

    /// The text that is signed, with a line's end at its end.
    ///
    /// - Parameter grant: what an approval grants beyond one call; a rejection grants nothing.
    package func text(_ decision: Decision, grant: SignedGrant?) -> String {
        var lines: [(String, String?)] = [("workspace", workspace.text)]
        switch subject {
        case .action(let action, let run):
            lines += [("run", run.description), ("action", action.description)]
        case .request(let id, let subject, let agent):
            lines += [("request", id.description), ("subject", subject), ("agent", agent)]
        }
        lines += [
            ("tool", tool), ("method", method), ("url", url), ("payload-hash", payloadHash),
            ("headers-hash", headersHash), ("decision", decision.rawValue),
        ]
        if decision == .approve, let grant {
            lines += [("scope", grant.scope.rawValue), ("duration", DurationText.format(grant.duration))]
        }
        return lines.reduce(into: Self.version + "\n") { text, line in
            if let value = line.1 { text += "\(line.0): \(Self.plain(value))\n" }
        }
    }

    /// Characters that end a line, cannot be seen or turn the direction of others are written as `\u{HEX}`, and so is the
    /// backslash, so that no two values look the same.
    private static func plain(_ value: String) -> String {
        var text = ""
        for scalar in value.unicodeScalars {
            switch scalar.value {
            case 0...0x1f, 0x7f...0x9f, 0x5c, 0xad, 0x61c, 0x200b...0x200f, 0x2028...0x202e, 0x2060...0x206f, 0xfeff:
                text += "\\u{" + String(scalar.value, radix: 16, uppercase: true) + "}"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
