import AsyncHTTPClient
import CommandHandling
import Domain
import EventStore
import Execution
import Projections

extension Daemon {
    /// The agents that Sluice runs itself, with what they are known by.
    func makeAgents(
        _ store: EventStore, _ commands: CommandHandler, _ projections: Projections, _ client: HTTPClient,
        _ directory: DataDirectory
    ) async throws -> (AgentProcesses, AgentTokens) {
        var settings = configuration.agents
        settings.dataDirectory = directory.absolute()
        let tokens = AgentTokens()
        let catalog = AgentCatalog(
            agent: { name in
                // What was recorded is what has to be run: the read side may be a moment behind.
                try await projections.reach(store.durablePosition)
                return try await projections.resource(.agent, named: name.name, in: name.workspace).map { record in
                    AgentCatalog.Agent(
                        id: record.id, revision: record.revision, document: record.document.value,
                        phase: record.phase, message: record.statusMessage)
                }
            },
            tool: { workspace, name in
                try await projections.resource(.tool, named: name, in: workspace)?.document.value
            })
        let runtime: RuntimeDirectory
        do throws(AgentRefusal) {
            runtime = try RuntimeDirectory(DataDirectory(settings.dataDirectory).runtime)
        } catch {
            throw DaemonError(.directoryUnusable, error.description)
        }
        do throws(AgentRefusal) {
            let agents = AgentProcesses(
                settings, commands: commands, store: store, catalog: catalog, tokens: tokens, client: client,
                directory: runtime, logger: logger)
            try await agents.check()
            return (agents, tokens)
        } catch {
            throw DaemonError(.sandboxUnusable, error.description)
        }
    }
}
