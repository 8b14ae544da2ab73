import Domain
import Gateways
import Logging
import Projections
import Secrets
import TestSupport
import Testing

/// From a sealed secret in the read models to a call that carries it.
@Suite struct CredentialStoreTests {
    private final class World {
        let projections: Projections
        let vault: SecretVault
        let endpoint = ScriptedEndpoint()
        let store: CredentialStore
        private var position = Position.zero
        private var ids: UInt64 = 0

        init(_ directory: String) async throws {
            projections = try Projections.open(path: directory + "/r.sqlite", logger: Logger(label: "test"))
            let keyring = try Keyring.open(
                path: directory + "/keyring", configured: .generate(), masterKeyFile: MasterKeyFile(path: directory))
            vault = try await SecretVault(keyring) { UUIDValue(high: .random(in: 1 ... .max), low: 1) }
            store = CredentialStore(
                projections: projections, vault: vault, endpoint: endpoint, clock: ManualClock())
        }

        func set(_ name: String, _ value: String) async throws -> SealedSecret {
            let reference = SecretReference(owner: Fixture.owner, name: name)
            let sealed = try await vault.seal([(reference, Array(value.utf8))])[0]
            try await record(
                .secretStored(
                    SecretStored(kind: .tool, owner: Fixture.owner.name, name: name, sealed: sealed, replacedKeyID: nil)
                ))
            return sealed
        }

        func delete(_ name: String, _ sealed: SealedSecret) async throws {
            try await record(
                .secretDeleted(
                    SecretDeleted(kind: .tool, owner: Fixture.owner.name, name: name, keyID: sealed.keyID)))
        }

        func apply(_ json: String) async throws -> OutgoingCall {
            try await store.injector(for: Fixture.owner, authentication: try JSONValue(parsing: Array(json.utf8)))
                .apply(to: Fixture.call())
        }

        private func record(_ payload: EventPayload) async throws {
            position = position.next
            let event = Event(
                id: EventID(UUIDValue(high: 1, low: position.value)), time: Fixture.start, workspace: .default,
                stream: .secret(SecretID(UUIDValue(high: 2, low: 2))), streamSequence: position.value,
                actor: Actor(kind: .system, name: "test"), causation: Causation(index: 0, idempotency: nil),
                traceparent: nil, timeline: nil, payload: payload)
            try await projections.apply([RecordedEvent(position: position, event: event)])
        }
    }

    private static let apiKey = #"{"type":"APIKey","apiKeyConfig":{"in":"Header","name":"X-Key"}}"#
    private static let oauth2 = #"{"type":"OAuth2","oauth2Config":{"tokenUrl":"https://id.test/token"}}"#

    @Test func aCallCarriesTheSecretThatIsSetNow() async throws {
        try await withDirectory { directory in
            let world = try await World(directory)
            _ = try await world.set("api_key", "first")
            #expect(try await world.apply(Self.apiKey).header("X-Key") == "first")
            let second = try await world.set("api_key", "second")
            #expect(try await world.apply(Self.apiKey).header("X-Key") == "second")
            try await world.delete("api_key", second)
            await #expect(throws: CredentialError.self) { try await world.apply(Self.apiKey) }
        }
    }

    @Test func aSecretWhoseKeyIsDestroyedIsSaidToBeUnreadable() async throws {
        try await withDirectory { directory in
            let world = try await World(directory)
            let sealed = try await world.set("api_key", "first")
            try await world.vault.destroy([sealed.keyID])
            await #expect {
                try await world.apply(Self.apiKey)
            } throws: { ($0 as? CredentialError)?.code == .unreadable }
        }
    }

    @Test func accessTokensAreKeptUntilTheSecretsAreOthers() async throws {
        try await withDirectory { directory in
            let world = try await World(directory)
            _ = try await world.set("client_id", "id")
            _ = try await world.set("client_secret", "one")
            for _ in 0..<3 {
                #expect(try await world.apply(Self.oauth2).header("Authorization") == "Bearer token-1")
            }
            _ = try await world.set("client_secret", "two")
            #expect(try await world.apply(Self.oauth2).header("Authorization") == "Bearer token-2")
            #expect(world.endpoint.requests.map(\.clientSecret) == ["one", "two"])
        }
    }
}
