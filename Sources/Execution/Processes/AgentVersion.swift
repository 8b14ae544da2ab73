import Domain

/// A revision of an agent, with its definition.
struct AgentVersion: Sendable {
    let agent: AgentCatalog.Agent
    let definition: AgentDefinition

    /// - Throws: what is wrong with the document.
    init(_ agent: AgentCatalog.Agent) throws(AgentRefusal) {
        self.agent = agent
        definition = try AgentDefinition(document: agent.document)
    }

    var revision: UInt64 { agent.revision }
}
