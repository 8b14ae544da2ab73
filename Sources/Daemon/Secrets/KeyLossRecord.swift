import CommandHandling
import Domain
import Logging
import Projections

/// Records that the operator has accepted a loss of keys, before anything else is served.
struct KeyLossRecord: Sendable {
    let lost: LostKeys
    let commands: CommandHandler
    let directory: DataDirectory
    let logger: Logger

    /// Deletes the secrets that cannot be opened, and then records the loss: a crash in between refuses the next start.
    func record(_ active: ActiveState, forget history: PastReadModels) async throws {
        for (owner, secrets) in active.secrets {
            for (name, secret) in secrets where lost.secrets.contains(secret.keyID) {
                let delete = DeleteSecret(kind: owner.kind, owner: owner.name, name: name)
                _ = try await commands.execute(
                    .deleteSecret(delete), CommandRequest(workspace: owner.workspace, actor: .keyring))
            }
        }
        // They were made when the keys were there, and would show what a rebuild does not. Once the loss is recorded, no
        // start comes here again.
        try await history.forget()
        let loss = KeyLossAccepted(
            people: UInt64(lost.people), secrets: UInt64(lost.secrets.count), payloadDays: UInt64(lost.payloadDays))
        _ = try await commands.execute(.acceptKeyLoss(loss), CommandRequest(workspace: .default, actor: .keyring))
        try await commands.renewSnapshot()
        try directory.leaveEarlierPoint()
        logger.error(
            "loss of keys recorded",
            metadata: [
                "people": "\(lost.people)", "secrets": "\(lost.secrets.count)", "payload_days": "\(lost.payloadDays)",
            ])
    }
}
