package import Audit
package import CommandHandling
package import Domain
package import EventStreaming
package import Gateways
package import Ingestion
package import Outbound
package import Projections
package import Secrets

/// What the routes work with.
package struct HTTPAPIDependencies: Sendable {
    package let commands: CommandHandler
    package let projections: Projections
    package let history: PastReadModels
    package let backtester: PolicyBacktester
    package let streamer: EventStreamer
    package let vault: SecretVault
    /// For probes of tools.
    package let client: OutboundClient
    package let egress: EgressGateway
    package let consents: Consents
    package let models: LLMGateway
    package let identities: IdentityGateway
    package let connectorTest: ConnectorTest
    package let decisionLinks: DecisionLinks
    package let audit: AuditServices
    package let analyzer: SourceAnalyzer
    /// Whose instance a token of an address under `/as/` was made for.
    package let agentOfToken: @Sendable (String) -> AgentIdentity?
    /// The invokes that the instance of such a token is at.
    package let invokesOfToken: @Sendable (String) -> AgentInvokes
    package let agentRecords: AgentRecords
    /// Is told of keys that are used and may not be; nobody is without it.
    package let keyMisuse: KeyMisuseReporter?
    package let keyUses: KeyUses
    /// Ends what a principal has open when its access ends.
    package let access: AccessWatch
    package let clock: ClockControl
    /// All metrics in Prometheus' text format.
    package let metrics: @Sendable () async -> String

    package init(
        commands: CommandHandler, projections: Projections, history: PastReadModels, backtester: PolicyBacktester,
        streamer: EventStreamer, vault: SecretVault, client: OutboundClient, egress: EgressGateway, consents: Consents,
        models: LLMGateway, identities: IdentityGateway, connectorTest: ConnectorTest,
        decisionLinks: DecisionLinks, audit: AuditServices, analyzer: SourceAnalyzer,
        agentOfToken: @escaping @Sendable (String) -> AgentIdentity? = { _ in nil },
        invokesOfToken: @escaping @Sendable (String) -> AgentInvokes = { _ in AgentInvokes() },
        agentRecords: AgentRecords = AgentRecords(), access: AccessWatch, keyMisuse: KeyMisuseReporter? = nil,
        keyUses: KeyUses = KeyUses(), clock: ClockControl, metrics: @escaping @Sendable () async -> String
    ) {
        self.commands = commands
        self.projections = projections
        self.history = history
        self.backtester = backtester
        self.streamer = streamer
        self.vault = vault
        self.client = client
        self.egress = egress
        self.consents = consents
        self.models = models
        self.identities = identities
        self.connectorTest = connectorTest
        self.decisionLinks = decisionLinks
        self.audit = audit
        self.analyzer = analyzer
        self.agentOfToken = agentOfToken
        self.invokesOfToken = invokesOfToken
        self.agentRecords = agentRecords
        self.keyMisuse = keyMisuse
        self.keyUses = keyUses
        self.access = access
        self.clock = clock
        self.metrics = metrics
    }
}

/// An agent that Sluice runs itself.
package struct AgentIdentity: Hashable, Sendable {
    package let workspace: WorkspaceName
    package let name: String

    package init(workspace: WorkspaceName, name: String) {
        self.workspace = workspace
        self.name = name
    }
}

/// The invokes that an agent's instance is at.
package struct AgentInvokes: Hashable, Sendable {
    package let open: [AgentInvoke]
    /// True once an invoke ended without an answer, whose handler may continue.
    package let hasAbandoned: Bool
    /// True until the first invoke.
    package let isStarting: Bool

    package init(open: [AgentInvoke] = [], hasAbandoned: Bool = false, isStarting: Bool = false) {
        self.open = open
        self.hasAbandoned = hasAbandoned
        self.isStarting = isStarting
    }
}

/// A call of an agent for a run, as the agent received it.
package struct AgentInvoke: Hashable, Sendable {
    package let run: RunID
    package let requestID: String

    package init(run: RunID, requestID: String) {
        self.run = run
        self.requestID = requestID
    }
}
