package import CommandHandling
import Crypto
package import Domain
package import Projections
package import Secrets

/// The links that decide: made for a message, looked at as often as anybody likes, used once.
///
/// The secret in a link is derived from the keyring and what the link is for: it is stored nowhere, and a message that
/// is sent again after a crash has the same one. The log has its digest.
package struct DecisionLinks: Sendable {
    package static let pathPrefix = "/decisions/"

    private let commands: CommandHandler
    private let projections: Projections
    private let messages: ApprovalMessages
    private let vault: SecretVault
    private let directory: ConnectorDirectory
    private let publicURL: String

    package init(
        commands: CommandHandler, projections: Projections, vault: SecretVault, directory: ConnectorDirectory,
        publicURL: String
    ) {
        self.directory = directory
        self.commands = commands
        self.projections = projections
        self.vault = vault
        self.publicURL = publicURL
        messages = ApprovalMessages(projections: projections)
    }

    /// What a link shows.
    package struct View: Sendable {
        package enum Standing: Hashable, Sendable {
            case open
            /// A decision was made, by this link or elsewhere.
            case decided(ApprovalOutcome)
            /// This link's approval counts, and others have to follow.
            case used
            case expired
        }

        package let message: ApprovalMessage
        package let standing: Standing
    }

    /// What stands behind a link; `nil` for one that is not Sluice's.
    package func view(_ id: DeliveryID, secret: String) async throws -> View? {
        guard let record = try record(id, secret),
            let message = try await messages.message(record.label, in: record.workspace)
        else { return nil }
        if let outcome = try await messages.outcome(record.label.subject, in: record.workspace) {
            return View(message: message, standing: .decided(outcome))
        }
        guard record.decision == nil else { return View(message: message, standing: .used) }
        // What its connector sent goes with the connector.
        let isExpired = commands.clock.now() >= record.link.expiresAt || commands.delivery(id) == nil
        guard !isExpired, try await linksDecide(id, of: record) else {
            return View(message: message, standing: .expired)
        }
        return View(message: message, standing: .open)
    }

    /// Decides; the reply waits until reads show it.
    ///
    /// - Returns: whether there was such a link.
    /// - Throws: `CommandError` when the rules refuse.
    package func decide(
        _ id: DeliveryID, secret: String, approves: Bool, payloadHash: PayloadHash?, reason: String?
    ) async throws -> Bool {
        guard let record = try record(id, secret) else { return false }
        guard try await linksDecide(id, of: record) else {
            throw CommandError.rejected(
                Rejection(
                    .decisionLinkClosed,
                    "links of this connector decide no longer: decide with an API key or a token of your own"))
        }
        let link = UsedLink(connectorName: record.label.connectorName, deliveryID: id)
        let receipt = try await commands.execute(
            .decideByLink(
                DecideByLink(
                    deliveryID: id, digest: Self.digest(secret), approves: approves, payloadHash: payloadHash,
                    reason: reason)),
            CommandRequest(
                workspace: record.workspace,
                actor: Actor(kind: .decisionLink(link), name: "connector \(link.connectorName), link \(id)")))
        try await projections.reach(receipt.position)
        return true
    }

    func url(_ label: DeliveryLabel, _ payloadHash: String?, in workspace: WorkspaceName) -> String {
        publicURL + Self.pathPrefix + "\(label.id)/\(secret(label, payloadHash, workspace))"
    }

    func link(
        _ label: DeliveryLabel, _ message: ApprovalMessage, in workspace: WorkspaceName
    ) -> DecisionLink {
        DecisionLink(
            digest: Self.digest(secret(label, message.payloadHash, workspace)),
            payloadHash: message.payloadHash.map(PayloadHash.init), expiresAt: message.expiresAt)
    }

    /// True while the link's connector lets its links decide, as it did when it sent this one. The links of a connector
    /// that was deleted are unknown to the writer.
    private func linksDecide(_ id: DeliveryID, of record: DecisionLinkRecord) async throws -> Bool {
        let connector = try await directory.connector(record.label.connector, in: record.workspace)
        return connector?.linksDecide ?? (commands.delivery(id) == nil)
    }

    private func record(_ id: DeliveryID, _ secret: String) throws -> DecisionLinkRecord? {
        guard let record = try projections.decisionLink(id),
            PayloadHash(record.link.digest.hexText).matches(PayloadHash(Self.digest(secret).hexText))
        else { return nil }
        return record
    }

    /// 256 bits that nobody without the keyring can know: of the message, its subject and the payload.
    private func secret(_ label: DeliveryLabel, _ payloadHash: String?, _ workspace: WorkspaceName) -> String {
        let parts = [
            "sluice decision link 1", workspace.text, label.id.description, label.connector,
            label.subject.key.text, payloadHash ?? "",
        ]
        return vault.fingerprint(Array(parts.joined(separator: "\n").utf8)).hexText
    }

    private static func digest(_ secret: String) -> [UInt8] { Array(SHA256.hash(data: Array(secret.utf8))) }
}
