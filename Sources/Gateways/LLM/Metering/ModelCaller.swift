package import Domain

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

    package init(
        agent: String?, acting: ActingAgent? = nil, actor: Actor, traceparent: String?,
        headers: [(name: String, value: String)], presence: CallerPresence = CallerPresence()
    ) {
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
        endUser = acting?.isManaged != true ? header("x-end-user-id").map { $0.percentDecoded ?? $0 } : nil
    }

    /// The run that the request names, by its id or as a part of the id of one of its attempts (`req-<run>-…`).
    var namedRun: RunID? {
        if let runID { return RunID(runID) }
        guard let requestID, requestID.hasPrefix("req-") else { return nil }
        return RunID(String(requestID.dropFirst(4).prefix(36)))
    }
}
