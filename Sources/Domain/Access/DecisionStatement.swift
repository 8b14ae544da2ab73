/// What an approver signs: a short text that says which decision it is, and of what.
///
/// It is made of what the events say alone, so that whoever has them makes the same text again. A line for each thing
/// that is known, in this order; nothing in a value can begin another line, or turn what is read around.
///
/// A call that the gate blocked has the first version of the text. A request that a client makes by itself has the
/// second, which also says what the client stated and what an approval covers; earlier signatures are of the first.
package struct DecisionStatement: Hashable, Sendable {
    package enum Decision: String, Hashable, Sendable { case approve, reject }

    /// What is decided on.
    package enum Subject: Hashable, Sendable {
        case action(ActionID, run: RunID)
        /// A request for access that no action of a run waits for: whose it is, and by which agent.
        case request(AccessRequestID, subject: String, agent: String?)
    }

    /// The form of the text. Each stays as it is: signatures of it are kept for good.
    package enum Version: Int, Hashable, Sendable {
        case first = 1
        case second
    }

    /// What only a client's own request has.
    package struct Stated: Hashable, Sendable {
        package let capability: String?
        /// The origin of the tool that a grant is for; of a request that names no run.
        package let toolOrigin: String?

        package init(capability: String?, toolOrigin: String?) {
            self.capability = capability
            self.toolOrigin = toolOrigin
        }
    }

    package let workspace: WorkspaceName
    package let subject: Subject
    package let tool: String
    package let method: String?
    package let url: String?
    package let payloadHash: String?
    /// Digest of the bound headers of a call that the gate blocked.
    package let headersHash: String?
    /// `nil` for a call that the gate blocked.
    package let stated: Stated?

    package init(
        workspace: WorkspaceName, subject: Subject, tool: String, method: String?, url: String?, payloadHash: String?,
        headersHash: String?, stated: Stated?
    ) {
        self.stated = stated
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
            headersHash: blocked.call?.headersHash?.text,
            stated: blocked.call == nil ? Stated(capability: blocked.capability, toolOrigin: nil) : nil)
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
            url: requested.url, payloadHash: requested.payloadHash?.text, headersHash: requested.headersHash?.text,
            stated: requested.isForOneCall
                ? nil
                : Stated(
                    capability: requested.capability, toolOrigin: requested.run == nil ? requested.tool?.origin : nil))
    }

    /// The versions in which the statement may have been signed, the current one first.
    package var versions: [Version] { stated == nil ? [.first] : [.second, .first] }

    /// The text that is signed, with a line's end at its end.
    ///
    /// - Parameters:
    ///   - grant: what an approval grants beyond one call; a rejection grants nothing.
    ///   - version: one of `versions`; the current one where it is `nil`.
    package func text(_ decision: Decision, grant: SignedGrant?, _ version: Version? = nil) -> String {
        let version = version ?? versions[0]
        let stated = version == .second ? self.stated : nil
        var lines: [(String, String?)] = [("workspace", workspace.text)]
        switch subject {
        case .action(let action, let run):
            lines += [("run", run.description), ("action", action.description)]
        case .request(let id, let subject, let agent):
            lines += [("request", id.description), ("subject", subject), ("agent", agent)]
        }
        lines += [
            ("tool", tool), ("tool-origin", stated?.toolOrigin), ("capability", stated?.capability),
            ("method", method), ("url", url), ("payload-hash", payloadHash), ("headers-hash", headersHash),
            ("decision", decision.rawValue),
        ]
        if decision == .approve, let grant {
            lines += [("scope", grant.scope.rawValue), ("duration", DurationText.format(grant.duration))]
        }
        if decision == .approve, let stated { lines.append(("covers", coverage(stated, grant?.scope ?? .once))) }
        return lines.reduce(into: "sluice-decision/\(version.rawValue)\n") { text, line in
            if let value = line.1 { text += "\(line.0): \(Self.plain(value, version))\n" }
        }
    }

    /// The calls that an approval lets through the gate, in words of the second version.
    private func coverage(_ stated: Stated, _ scope: AccessScope) -> String {
        let (isOfRun, hasAgent) =
            switch subject {
            case .action: (true, true)
            case .request(_, _, let agent): (false, agent != nil)
            }
        guard hasAgent, stated.capability != nil || method != nil && url != nil else { return "no call" }
        switch scope {
        case .once: return "no call"
        case .run: return isOfRun ? "every call in this run that has all of the above" : "no call"
        case .agentUserTTL: return "every call in any run that has all of the above"
        }
    }

    /// Characters that end a line, cannot be seen or turn the direction of others are written as `\u{HEX}`, and so is the
    /// backslash, so that no two values look the same.
    private static func plain(_ value: String, _ version: Version) -> String {
        var text = ""
        for scalar in value.unicodeScalars {
            if isHidden(scalar.value) || version == .second && isBlank(scalar.value) {
                text += "\\u{" + String(scalar.value, radix: 16, uppercase: true) + "}"
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    private static func isHidden(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0...0x1f, 0x7f...0x9f, 0x5c, 0xad, 0x61c, 0x200b...0x200f, 0x2028...0x202e, 0x2060...0x206f, 0xfeff: true
        default: false
        }
    }

    /// True for blanks other than the space, fillers, variation selectors and tags.
    private static func isBlank(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0xa0, 0x34f, 0x115f, 0x1160, 0x1680, 0x17b4, 0x17b5, 0x180b...0x180f, 0x2000...0x200a, 0x202f, 0x205f,
            0x2800,
            0x3000, 0x3164, 0xfe00...0xfe0f, 0xffa0, 0xfff0...0xfffb, 0x1d173...0x1d17a, 0xe0000...0xe0fff:
            true
        default: false
        }
    }
}
