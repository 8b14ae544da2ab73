package import Domain

/// What agents leave behind to be read.
extension AgentProcesses {
    /// What an agent has written; `nil` when there is no such agent.
    package func output(of name: Name) async throws -> AgentOutput? {
        try await catalog.agent(name).map { output(of: $0.id) }
    }

    /// What the package installer said when the agent's environment was built, or why nothing was built; empty before
    /// the first build has ended, `nil` when there is no such agent.
    package func buildLog(of name: Name) async throws -> String? {
        guard let agent = try await catalog.agent(name) else { return nil }
        do throws(AgentRefusal) {
            return try await bundles.buildLog(try AgentDefinition(document: agent.document))
        } catch {
            return "nothing was built: \(error)\n"
        }
    }

    /// The one writer and reader of that agent's output: whoever follows it sees what any of its processes writes.
    func output(of id: ResourceID) -> AgentOutput {
        if let known = outputs[id] { return known }
        let output = AgentOutput(
            directory: configuration.dataDirectory + "/agents/\(id)", fileBytesMax: configuration.outputBytesMax)
        outputs[id] = output
        return output
    }
}
