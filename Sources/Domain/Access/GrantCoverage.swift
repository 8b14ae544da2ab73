/// The calls that a grant on a client's own request covers, by the rule and in words for its approver.
///
/// The words say no less than the rule lets through: an approver of a request that a client made sees nothing but what the
/// client stated.
package struct GrantCoverage: Hashable, Sendable {
    private let subject: String
    private let agent: String?
    private let tool: String
    private let capability: String?
    private let method: String?
    private let url: String?
    private let payloadHash: PayloadHash?
    private let run: RunID?

    package init(
        subject: String, agent: String?, tool: String, run: RunID?,
        stated: (capability: String?, method: String?, url: String?, payloadHash: PayloadHash?)
    ) {
        self.subject = subject
        self.agent = agent
        self.tool = tool
        self.run = run
        (capability, method, url, payloadHash) = stated
    }

    init(_ requested: AccessRequested) {
        self.init(
            subject: requested.subject, agent: requested.agentID, tool: requested.toolID, run: requested.run?.runID,
            stated: (requested.capability, requested.method, requested.url, requested.payloadHash))
    }

    /// True for a call that has all that the request states; never when it states no capability and no method with a URL.
    func covers(_ call: ToolCall) -> Bool {
        statesCalls && isStated(capability, call.capability) && isStated(method, call.method)
            && isStated(url, call.url) && payloadHash?.matches(call.payloadHash) != false
    }

    /// The coverage of a request that waits: each scope that an approver may choose.
    package var pendingSentence: String {
        guard let calls else { return noCalls }
        let inRun = run.map { ", or with scope run in run \($0) alone" } ?? ""
        return "with scope agent_user_ttl \(calls), in any run\(inRun), for as long as it is granted; "
            + "with any other scope no call"
    }

    /// The coverage of a grant.
    ///
    /// - Parameter end: the grant's end in words, such as a time or a duration.
    package func sentence(_ scope: AccessScope, until end: String) -> String {
        guard let calls else { return noCalls }
        switch scope {
        case .once: return "no call through the gate: the scope is once"
        case .run:
            guard let run else { return "no call: the scope is run, and the request names no run" }
            return "\(calls), in run \(run), until \(end)"
        case .agentUserTTL: return "\(calls), in any run, until \(end)"
        }
    }

    private var statesCalls: Bool { capability != nil || (method != nil && url != nil) }

    private var noCalls: String {
        agent == nil
            ? "no call: the request names no agent"
            : "no call: the request states neither a capability (capability) nor a method and a URL (tool_method, tool_url)"
    }

    /// `nil` when no call can be covered.
    private var calls: String? {
        guard statesCalls, let agent else { return nil }
        let words = [
            "every", method.map(Self.quoted), "call",
            capability.map { "of capability \(Self.quoted($0))" }, url.map { "to \(Self.quoted($0))" },
            payloadHash.map { "with payload \(Self.quoted($0.text))" }, "of tool \(Self.quoted(tool)),",
            "for agent \(Self.quoted(agent)) and user \(Self.quoted(subject)),",
            "that the policies let any approver decide",
        ]
        return words.compactMap(\.self).joined(separator: " ")
    }

    /// No value can pass for words of the sentence.
    private static func quoted(_ value: String) -> String { JSONValue.string(value).text.text }

    private func isStated(_ asked: String?, _ called: String?) -> Bool {
        asked.map { asked in called.map { asked.isExactly($0) } ?? false } ?? true
    }
}
