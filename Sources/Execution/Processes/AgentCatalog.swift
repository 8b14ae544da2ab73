package import Domain

/// Agents and tools of the read side, and the rules of other rooms that this one does not know.
package struct AgentCatalog: Sendable {
    /// Replaces secrets in a text, in every spelling that is known.
    package typealias Redaction = @Sendable ([UInt8]) -> [UInt8]

    package struct Agent: Hashable, Sendable {
        package let id: ResourceID
        package let revision: UInt64
        package let document: JSONValue
        package let phase: String?
        package let message: String?
        /// The revision that serves; `nil` before one has.
        package let servingRevision: UInt64?

        package init(
            id: ResourceID, revision: UInt64, document: JSONValue, phase: String?, message: String?,
            servingRevision: UInt64? = nil
        ) {
            self.id = id
            self.revision = revision
            self.document = document
            self.phase = phase
            self.message = message
            self.servingRevision = servingRevision
        }
    }

    package let agent: @Sendable (AgentTokens.Agent) async throws -> Agent?
    /// The document of one revision of an agent.
    package let version: @Sendable (ResourceID, _ revision: UInt64) async throws -> JSONValue?
    /// A tool's document.
    package let tool: @Sendable (WorkspaceName, String) async throws -> JSONValue?
    /// Variables of the agent that are kept sealed: they win over those of the deploy, and never over the platform's.
    package let secrets: @Sendable (AgentTokens.Agent) async throws -> [String: String]

    /// What builds that did not fail were made of: that stays.
    package let builds: @Sendable () async throws -> [JSONValue]

    /// Makes the redaction of some secrets.
    package let redaction: @Sendable (_ secrets: [String]) -> Redaction

    package init(
        agent: @escaping @Sendable (AgentTokens.Agent) async throws -> Agent?,
        version: @escaping @Sendable (ResourceID, _ revision: UInt64) async throws -> JSONValue? = { _, _ in nil },
        tool: @escaping @Sendable (WorkspaceName, String) async throws -> JSONValue?,
        secrets: @escaping @Sendable (AgentTokens.Agent) async throws -> [String: String] = { _ in [:] },
        builds: @escaping @Sendable () async throws -> [JSONValue] = { [] },
        redaction: @escaping @Sendable (_ secrets: [String]) -> Redaction
    ) {
        self.agent = agent
        self.version = version
        self.tool = tool
        self.secrets = secrets
        self.builds = builds
        self.redaction = redaction
    }
}
