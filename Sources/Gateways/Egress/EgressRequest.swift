package import Domain

/// A call that an agent asks the gate to make. It is one object, because every step of the call hands it on.
package final class EgressRequest: Sendable {
    package let workspace: WorkspaceName
    /// Who asks, as the gate knows it; `nil` when the key may speak for any agent.
    package let agent: String?
    /// The agent, for the writer; `nil` for a key of another role.
    package let acting: ActingAgent?
    package let actor: Actor
    package let tool: String
    /// The path by which the agent calls the tool; empty when it is unknown.
    package let address: String
    package let method: String
    /// What follows the tool's name in the address, escapes and all: empty, or beginning with a slash.
    package let path: String
    package let query: String?
    /// The headers, with their names in lower case.
    package let headers: [(name: String, value: String)]
    package let body: [UInt8]
    package let traceparent: String?
    /// The client that gets the answer.
    package let caller: CallerPresence
    /// The attempt of its run that it names.
    let attemptID: String?

    package init(
        workspace: WorkspaceName, agent: String?, acting: ActingAgent?, actor: Actor, tool: String,
        address: String = "", method: String, path: String, query: String?, headers: [(name: String, value: String)],
        body: [UInt8],
        traceparent: String?, caller: CallerPresence = CallerPresence()
    ) {
        self.workspace = workspace
        self.agent = agent
        self.acting = acting
        self.actor = actor
        self.tool = tool
        self.address = address
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers.map { ($0.name.inLowerCase, $0.value) }
        self.body = body
        self.traceparent = traceparent
        self.caller = caller
        attemptID = Self.header("x-request-id", of: self.headers)
    }

    /// The first header of that name, which is given in lower case; an empty one counts as absent.
    func header(_ name: String) -> String? { Self.header(name, of: headers) }

    private static func header(_ name: String, of headers: [(name: String, value: String)]) -> String? {
        headers.first { $0.name == name && !$0.value.isEmpty }?.value
    }
}
