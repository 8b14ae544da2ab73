import CommandHandling
import Domain
import Logging
import Secrets

/// Gives up the keys of blocked bodies and recorded answers once they are old: what they sealed stays in the log, and
/// nobody can read it.
struct PayloadRetention: Sendable {
    private static let interval = Duration.seconds(3600)

    let vault: SecretVault
    let clock: any WallClock
    /// How long they are kept, counted in whole days (UTC).
    let retention: Duration
    let logger: Logger

    /// Looks at once, and then every hour until its task is cancelled.
    func run() async {
        while !Task.isCancelled {
            do {
                let count = try await vault.destroyPayloadKeys(before: clock.now().adding(.zero - retention))
                if count > 0 { logger.info("keys of old payloads were destroyed", metadata: ["keys": "\(count)"]) }
            } catch {
                logger.error("keys of old payloads cannot be destroyed", metadata: ["error": "\(error)"])
            }
            do { try await Task.sleep(for: Self.interval) } catch { return }
        }
    }
}
