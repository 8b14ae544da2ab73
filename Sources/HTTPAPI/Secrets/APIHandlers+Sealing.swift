import CommandHandling
import Domain
import Secrets

extension APIHandlers {
    /// Seals what the owners bring, executes the command made of it, and destroys the keys that it leaves unused.
    ///
    /// - Parameter command: is given each owner's sealed secrets.
    func execute(
        sealing brought: [(owner: ResourceKey, secrets: [NamedSecret])], _ request: APIRequest,
        _ command: ([ResourceKey: [StoreSecret]]) -> Command
    ) async throws -> Receipt {
        let named = brought.flatMap { owner, secrets in
            secrets.map { (SecretReference(owner: owner, name: $0.name), Array($0.value.utf8)) }
        }
        guard !named.isEmpty else { return try await execute(command([:]), request) }
        let sealed = try await vault.seal(named)
        var stored: [ResourceKey: [StoreSecret]] = [:]
        for ((reference, _), secret) in zip(named, sealed) {
            stored[reference.owner, default: []].append(
                StoreSecret(name: reference.name, sealed: secret, newID: commands.newID()))
        }
        let receipt: Receipt
        do {
            receipt = try await execute(command(stored), request)
        } catch let error as CommandError {
            // After a stop nobody knows what became of the command: the next start looks.
            if error.leavesNothing { try await vault.destroy(sealed.map(\.keyID)) }
            throw error
        }
        // A repeated request's answer is of the first one's secrets.
        let recorded = Set(receipt.events.compactMap(\.event.payload.storedKeyID))
        try await vault.destroy(sealed.map(\.keyID).filter { !recorded.contains($0) })
        return receipt
    }

    /// Destroys the keys that the command made useless: when a client is told, what they sealed is gone.
    func destroyObsoleteKeys(_ receipt: Receipt) async throws {
        let keys = receipt.events.compactMap(\.event.payload.obsoleteKeyID)
        if !keys.isEmpty { try await vault.destroy(keys) }
    }
}

extension EventPayload {
    fileprivate var storedKeyID: DataKeyID? {
        if case .secretStored(let stored) = self { stored.sealed.keyID } else { nil }
    }
}

extension CommandError {
    /// Whether it is sure that nothing of the command was recorded.
    fileprivate var leavesNothing: Bool {
        switch self {
        case .rejected, .idempotencyMismatch, .overloaded, .readOnly: true
        case .stopped: false
        }
    }
}
