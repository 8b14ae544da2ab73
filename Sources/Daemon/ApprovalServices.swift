import CommandHandling
import EventStore
import Gateways
import Logging
import Outbound
import Projections
import Secrets

/// What tells approvers and takes their decisions.
struct ApprovalServices: Sendable {
    let directory: ConnectorDirectory
    let links: DecisionLinks
    let notifier: ApprovalNotifier
    let test: ConnectorTest

    init(
        _ commands: CommandHandler, _ store: EventStore, _ projections: Projections, _ vault: SecretVault,
        _ client: OutboundClient, publicURL: String, _ logger: Logger
    ) {
        directory = ConnectorDirectory(projections: projections, vault: vault)
        links = DecisionLinks(
            commands: commands, projections: projections, vault: vault, directory: directory, publicURL: publicURL)
        notifier = ApprovalNotifier(
            commands: commands, store: store, projections: projections, directory: directory, links: links,
            client: client, logger: logger)
        test = ConnectorTest(client: client)
    }
}
