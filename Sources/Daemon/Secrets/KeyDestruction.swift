import CommandHandling
import Domain
import EventStore
import Logging
import Secrets

/// Destroys the keys of secrets that are replaced or deleted, once that is in the log.
///
/// Whoever answers a delete destroys its key too; this follower is there for every other way, and the look at the start
/// for a crash in between. Destroying a key twice is no error.
struct KeyDestruction: Sendable {
    let vault: SecretVault
    /// Returns once reads show a position: nobody is to find a secret there whose key is gone already.
    let visible: @Sendable (Position) async -> Void
    let logger: Logger

    /// Destroys every key that no secret needs; tells of secrets whose key is not there. Before anybody seals.
    func look(at state: ActiveState) async throws(SecretsError) {
        let needed = Set(state.secrets.values.flatMap { $0.values.map(\.keyID) })
        let left = try await vault.destroySecretKeys(except: needed)
        if left > 0 { logger.info("keys that no secret needs were destroyed", metadata: ["count": "\(left)"]) }
        let lost = needed.count { !vault.canOpen($0) }
        if lost > 0 {
            logger.error(
                "secrets cannot be opened, because their keys are not in the keyring: set them again",
                metadata: ["count": "\(lost)"])
        }
    }

    /// Follows the log from `position` on.
    func run(_ store: EventStore, after position: Position) async throws {
        for try await batch in store.subscribe(after: position, waitingFor: { $0.payload.obsoleteKeyID != nil }) {
            let keys = batch.compactMap(\.event.payload.obsoleteKeyID)
            guard let last = batch.last, !keys.isEmpty else { continue }
            await visible(last.position)
            do {
                try await vault.destroy(keys)
            } catch {
                logger.error("keys could not be destroyed; the next start does", metadata: ["error": "\(error)"])
            }
        }
    }
}
