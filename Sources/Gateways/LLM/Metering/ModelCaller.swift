package import Domain
package import Governance

/// Who asks for a model, as the gateway and the call's headers say.
package struct ModelCaller: Sendable {
    /// The agent that the key or the address is for; `nil` when it may speak for any.
    let agent: String?
    /// The agent, for the writer; `nil` for a key of another role.
    let acting: ActingAgent?
    let actor: Actor
    let traceparent: String?
    let runID: String?
    let requestID: String?
    let endUser: String?
    /// The client that gets the answer.
    let presence: CallerPresence

    /// Maximum bytes of a user's id, decoded: those of `user_id` elsewhere.
    private static let endUserBytesMax = 1_024

    /// - Throws: when a header names a user that cannot be recorded: a user is never recorded under another id.
    package init(
        agent: String?, acting: ActingAgent? = nil, actor: Actor, traceparent: String?,
        headers: [(name: String, value: String)], presence: CallerPresence = CallerPresence()
    ) throws(InvalidHeader) {
        func header(_ name: String) -> String? {
            headers.first { $0.name.lowercased() == name && !$0.value.isEmpty }?.value
        }
        self.agent = agent
        self.acting = acting
        self.actor = actor
        self.traceparent = traceparent
        self.presence = presence
        runID = header("x-run-id")
        requestID = header("x-request-id")
        // A managed agent names no user: its calls are for the user of a run of its own, or for none.
        endUser = try acting?.isManaged != true ? Self.endUser(header("x-end-user-id")) : nil
    }

    private static func endUser(_ value: String?) throws(InvalidHeader) -> String? {
        guard let value else { return nil }
        let user = value.percentDecoded ?? value
        guard user.utf8.count <= endUserBytesMax else {
            throw InvalidHeader("X-End-User-ID must have at most \(endUserBytesMax) bytes")
        }
        guard !user.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) else {
            throw InvalidHeader(
                "X-End-User-ID must not contain control characters, also not as %00 to %1F or %7F")
        }
        return user
    }

    /// The run that the request names, by its id or as a part of the id of one of its attempts (`req-<run>-…`).
    var namedRun: RunID? {
        if let runID { return RunID(runID) }
        guard let requestID, requestID.hasPrefix("req-") else { return nil }
        return RunID(String(requestID.dropFirst(4).prefix(36)))
    }
}
