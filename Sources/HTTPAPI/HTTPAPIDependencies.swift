package import AsyncHTTPClient
package import CommandHandling
package import EventStreaming
package import Projections
package import Secrets

/// What the routes work with.
package struct HTTPAPIDependencies: Sendable {
    package let commands: CommandHandler
    package let projections: Projections
    package let streamer: EventStreamer
    package let vault: SecretVault
    /// For probes of tools; must not follow redirects.
    package let client: HTTPClient
    /// All metrics in Prometheus' text format.
    package let metrics: @Sendable () async -> String

    package init(
        commands: CommandHandler, projections: Projections, streamer: EventStreamer, vault: SecretVault,
        client: HTTPClient, metrics: @escaping @Sendable () async -> String
    ) {
        self.commands = commands
        self.projections = projections
        self.streamer = streamer
        self.vault = vault
        self.client = client
        self.metrics = metrics
    }
}
