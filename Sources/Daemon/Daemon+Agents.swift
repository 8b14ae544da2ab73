import CommandHandling
import Domain
import EventStore
import Execution
import Gateways
import HTTPAPI
import Outbound
import Projections
import Secrets

extension Daemon {
    /// The agents that Sluice runs itself, with what they are known by.
    func makeAgents(
        _ store: EventStore, _ commands: CommandHandler, _ projections: Projections, _ vault: SecretVault,
        _ client: OutboundClient, _ directory: DataDirectory
    ) async throws -> (AgentProcesses, AgentTokens) {
        var settings = configuration.agents
        settings.dataDirectory = directory.absolute()
        let tokens = AgentTokens()
        let catalog = AgentCatalog(
            agent: { name in
                // What was recorded is what has to be run: the read side may be a moment behind.
                let found = try await projections.untilWhole(showing: store) {
                    try await projections.resource(.agent, named: name.name, in: name.workspace)
                }
                return found.map { record in
                    AgentCatalog.Agent(
                        id: record.id, revision: record.revision, document: record.document.value,
                        phase: record.phase, message: record.statusMessage, servingRevision: record.servingRevision)
                }
            },
            version: { id, revision in
                try await projections.agentVersion(revision, of: id)?.document.value
            },
            tool: { workspace, name in
                try await projections.untilWhole {
                    try await projections.resource(.tool, named: name, in: workspace)?.document.value
                }
            },
            secrets: { name in
                let owner = ResourceKey(workspace: name.workspace, kind: .agent, name: name.name)
                let secrets = try await projections.untilWhole(showing: store) { try projections.secrets(of: owner) }
                var values: [String: String] = [:]
                for secret in secrets {
                    values[secret.reference.name] = String(
                        decoding: try vault.open(secret.sealed, of: secret.reference), as: UTF8.self)
                }
                return values
            },
            builds: {
                try await projections.untilWhole(showing: store) {
                    try await projections.builtDocuments().map(\.value)
                }
            },
            redaction: { secrets in
                let redactor = Redactor(secrets, mask: AgentTokens.mask)
                return { redactor.redact($0) }
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

extension AgentRecords {
    private static let pageBytesMax = 256 * 1024

    init(_ agents: AgentProcesses) {
        self.init(
            output: { agent, offset, follows in
                guard let output = try await agents.output(of: AgentProcesses.Name(agent)) else { return nil }
                let page =
                    follows
                    ? await output.follow(after: offset, bytesMax: Self.pageBytesMax)
                    : await output.read(after: offset, bytesMax: Self.pageBytesMax)
                return Page(text: page.text, next: page.next)
            },
            lastLines: { agent, count in
                try await agents.output(of: AgentProcesses.Name(agent))?.offset(ofLast: count)
            }, buildLog: { try await agents.buildLog(of: AgentProcesses.Name($0)) },
            runsImages: { await agents.runsImages() },
            outlook: { document in
                switch await agents.outlook(of: document) {
                case .isElsewhere: .isElsewhere
                case .isBuilt: .isBuilt
                case .isInstalled(let requirements): .isInstalled(requirements: requirements)
                case .isFetched: .isFetched
                case .fails(let reason): .fails(reason)
                }
            }, imageRecipe: { agents.imageRecipe($0) })
    }
}

extension AgentTokens.Agent {
    fileprivate init(_ agent: AgentIdentity) { self.init(workspace: agent.workspace, name: agent.name) }
}
