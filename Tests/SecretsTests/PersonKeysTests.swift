import Domain
import Foundation
import Secrets
import TestSupport
import Testing

/// Everybody has a key of their own, and is nobody once it is gone.
@Suite struct PersonKeysTests {
    private let ada = PersonName(workspace: .default, userID: "ada")
    private let bob = PersonName(workspace: .default, userID: "bob")
    private let text = Array("what she said".utf8)
    private let purpose = UUIDValue(high: 1, low: 2)

    @Test func whatIsSealedForAPersonOpensAfterARestartAndForTheSamePurposeAlone() async throws {
        try await withDirectory { directory in
            let fixture = VaultFixture(directory)
            let vault = try await fixture.vault()
            try await vault.makeKeys(of: [ada, bob])
            let (id, sealed) = try #require(try vault.seal(text, of: ada, for: purpose))
            #expect(try vault.personID(of: ada) == id)
            #expect(try vault.personID(of: bob) != id)
            let again = try await fixture.vault()
            #expect(try again.people.open(sealed, of: id, for: purpose) == text)
            let other = UUIDValue(high: 1, low: 3)
            #expect(
                await code { () throws(SecretsError) in _ = try again.people.open(sealed, of: id, for: other) }
                    == .sealedDamaged)
        }
    }

    @Test func anErasedPersonIsNobodyAndComesBackAsSomebodyElse() async throws {
        try await withDirectory { directory in
            let fixture = VaultFixture(directory)
            let vault = try await fixture.vault()
            try await vault.makeKeys(of: [ada, bob])
            let (id, sealed) = try #require(try vault.seal(text, of: ada, for: purpose))
            try await vault.destroy(id)
            try await vault.destroy(id)
            for vault in [vault, try await fixture.vault()] {
                #expect(
                    await code { () throws(SecretsError) in _ = try vault.people.open(sealed, of: id, for: purpose) }
                        == .keyDestroyed)
                #expect(try vault.personID(of: ada) == nil)
                #expect(try vault.seal(text, of: ada, for: purpose) == nil)
                #expect(try vault.personID(of: bob) != nil)
            }
            try await vault.makeKeys(of: [ada])
            #expect(try vault.personID(of: ada) != id)
        }
    }

    @Test func namesAreNotConfusedAcrossWorkspaces() async throws {
        try await withDirectory { directory in
            let vault = try await VaultFixture(directory).vault()
            let people = [("a", "bc"), ("ab", "c"), ("abc", "x"), ("a", "bcx")].compactMap { workspace, user in
                WorkspaceName(workspace).map { PersonName(workspace: $0, userID: user) }
            }
            try await vault.makeKeys(of: Set(people))
            #expect(try Set(people.compactMap { try vault.personID(of: $0) }).count == 4)
        }
    }

    @Test func whenTheKeyringIsFullWhatIsSaidOfTheNextOneIsSealedWithAKeyThatIsShared() async throws {
        try await withDirectory { directory in
            let fixture = VaultFixture(directory)
            let full: () async throws(SecretsError) -> SecretVault = { () async throws(SecretsError) in
                let keyring = try Keyring.open(
                    path: fixture.keyringPath, configured: nil, masterKeyFile: fixture.masterKeyFile, keysMax: 3)
                return try await SecretVault(keyring) { UUIDValue(high: 0, low: .random(in: 0 ... .max)) }
            }
            let vault = try await full()
            try await vault.makeKeys(of: [ada])
            let own = try #require(try vault.personID(of: ada), "there was place for one")
            try await vault.makeKeys(of: [bob])
            #expect(vault.sharesKey)
            #expect(try vault.personID(of: bob) == nil, "he cannot be erased alone")
            let (id, sealed) = try #require(try vault.seal(text, of: bob, for: purpose))
            #expect(id != own)
            let again = try await full()
            #expect(again.sharesKey)
            #expect(try again.people.open(sealed, of: id, for: purpose) == text)
        }
    }
}
