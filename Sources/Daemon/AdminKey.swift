import Authentication
import CommandHandling
import Domain
import Logging

/// Sees to it that somebody can get in: `SLUICE_API_KEY`, or a key made at the first start.
enum AdminKey {
    static let configuredName = APIKeyState.configuredName

    /// - Returns: the text of a newly made key, to be shown once; `nil` when there is nothing to show.
    static func ensure(
        _ configured: String?, _ commands: CommandHandler, _ logger: Logger
    ) async throws -> String? {
        let request = CommandRequest(workspace: .default, actor: .bootstrap)
        let keys = try await commands.snapshot().state.apiKeys
        guard let configured else {
            guard keys.isEmpty else {
                try await revokeConfigured(keys, commands, request, logger)
                return nil
            }
            let secret = APIKeySecret.generate()
            try await create(secret, name: "first admin key", commands, request)
            return secret.text
        }
        guard let secret = APIKeySecret(configured) else {
            throw DaemonError(
                .configuration, "SLUICE_API_KEY must be \(APIKeySecret.bytesMin) or more visible ASCII characters")
        }
        // The new one first: the last admin key cannot be revoked.
        if !keys.values.contains(where: { $0.digest == secret.digest }) {
            try await create(secret, name: configuredName, commands, request)
        }
        for (id, key) in keys
        where key.name == configuredName && key.workspace == .default && key.digest != secret.digest {
            _ = try await commands.execute(.revokeAPIKey(id: id), request)
        }
        return nil
    }

    /// Revokes the key of an earlier `SLUICE_API_KEY` that is no longer set. One that is the last admin key that does not
    /// expire stays valid, and each start says so.
    private static func revokeConfigured(
        _ keys: [APIKeyID: APIKeyState], _ commands: CommandHandler, _ request: CommandRequest, _ logger: Logger
    ) async throws {
        for (id, key) in keys where key.name == configuredName && key.workspace == .default {
            if try await revoke(id, commands, request) {
                logger.notice("SLUICE_API_KEY was removed; its key is revoked", metadata: ["key": "\(id)"])
            } else {
                logger.warning(
                    "SLUICE_API_KEY is not set; its key stays valid",
                    metadata: [
                        "key": "\(id)", "reason": "it is the last admin key that does not expire",
                        "to_revoke": "make another with `sluice keys create --role admin`, and restart",
                    ])
            }
        }
    }

    /// - Returns: false for the last admin key that does not expire, which cannot be revoked.
    private static func revoke(
        _ id: APIKeyID, _ commands: CommandHandler, _ request: CommandRequest
    ) async throws(CommandError) -> Bool {
        do throws(CommandError) {
            _ = try await commands.execute(.revokeAPIKey(id: id), request)
        } catch {
            guard case .rejected(let rejection) = error, rejection.code == .lastAdminKey else { throw error }
            return false
        }
        return true
    }

    private static func create(
        _ secret: APIKeySecret, name: String, _ commands: CommandHandler, _ request: CommandRequest
    ) async throws {
        let created = APIKeyCreated(
            name: name, role: .admin, digest: secret.digest, prefix: secret.visiblePrefix, last4: secret.last4,
            expiresAt: nil)
        _ = try await commands.execute(.createAPIKey(id: commands.newID(), created), request)
    }
}
