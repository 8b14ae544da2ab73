import Domain

extension LogGenerator {
    private static let secretNames = ["a", "api_key", "DB_PASSWORD"]

    /// Secrets to store with a resource: often none, sometimes one that is there already.
    mutating func storedSecrets() -> [StoreSecret] {
        guard random.chance(40) else { return [] }
        return Self.secretNames.filter { _ in random.chance(50) }.map { storeSecret($0) }
    }

    mutating func secretCommand() -> Command {
        let kind = random.pick([ResourceKind.tool, .agent, .modelProvider])
        let (owner, name) = (random.pick(Self.names), random.pick(Self.secretNames))
        guard random.chance(60) else { return .deleteSecret(DeleteSecret(kind: kind, owner: owner, name: name)) }
        return .storeSecrets(StoreSecrets(kind: kind, owner: owner, secrets: [storeSecret(name)]))
    }

    mutating func storeSecret(_ name: String) -> StoreSecret {
        let byte = UInt8.random(in: 0 ... .max, using: &random)
        let sealed = SealedSecret(keyID: newID(), ciphertext: [UInt8](repeating: byte, count: 92))
        return StoreSecret(name: name, sealed: sealed, newID: newID())
    }
}
