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
    private let place = SealedPlace(UUIDValue(high: 1, low: 2), "subject")

    @Test func whatIsSealedForAPersonOpensAfterARestartAndForTheSamePurposeAlone() async throws {
        try await withDirectory { directory in
            let fixture = VaultFixture(directory)
            let vault = try await fixture.vault()
            try await vault.makeKeys(of: [ada, bob])
            let (id, salt, sealed) = try #require(try vault.seal(text, of: ada, at: place))
            #expect(try vault.personID(of: ada) == id)
            let same = try #require(
                try vault.seal(text, of: ada, at: SealedPlace(UUIDValue(high: 1, low: 3), "subject")))
            #expect(same.sealed != sealed && same.salt != salt, "the same text elsewhere is not seen to be the same")
            #expect(try vault.personID(of: bob) != id)
            let again = try await fixture.vault()
            let opened = try again.people.open(sealed, of: id, at: place)
            #expect(opened.bytes == text && opened.salt == salt && salt.count == 16)
            let other = SealedPlace(UUIDValue(high: 1, low: 2), "actor")
            #expect(
                await code { () throws(SecretsError) in _ = try again.people.open(sealed, of: id, at: other) }
                    == .sealedDamaged)
        }
    }

    @Test func anErasedPersonIsNobodyAndComesBackAsSomebodyElse() async throws {
        try await withDirectory { directory in
            let fixture = VaultFixture(directory)
            let vault = try await fixture.vault()
            try await vault.makeKeys(of: [ada, bob])
            let (id, _, sealed) = try #require(try vault.seal(text, of: ada, at: place))
            try await vault.destroy([id])
            try await vault.destroy([id])
            for vault in [vault, try await fixture.vault()] {
                #expect(
                    await code { () throws(SecretsError) in _ = try vault.people.open(sealed, of: id, at: place) }
                        == .keyDestroyed)
                #expect(try vault.personID(of: ada) == nil)
                #expect(try vault.seal(text, of: ada, at: place) == nil)
                #expect(try vault.personID(of: bob) != nil)
            }
            try await vault.makeKeys(of: [ada])
            #expect(try vault.personID(of: ada) != id)
        }
    }

    /// A retry says that the key is gone only when it is.
    @Test(arguments: 0..<6)
    func anErasureThatFailedIsNeverDoneWithoutTheDisk(_ changes: Int) async throws {
        let world = KeyringWorld()
        let vault = try await world.vault(isFirstStart: true)
        try await vault.makeKeys(of: [ada, bob])
        let (id, _, sealed) = try #require(try vault.seal(text, of: ada, at: place))
        _ = try vault.people.open(sealed, of: id, at: place)
        world.storage.crash(after: changes)
        for _ in 0..<3 {
            #expect(await code { () throws(SecretsError) in try await vault.destroy([id]) } == .keyringUnusable)
            #expect(
                await code { () throws(SecretsError) in _ = try vault.people.open(sealed, of: id, at: place) }
                    == .keyDestroyed)
            #expect(try vault.seal(text, of: ada, at: place) == nil)
        }
        try await vault.destroy([PersonID]())
        let next = try await KeyringWorld(world.storage.survivor(.kept)).vault()
        try await next.destroy([id])
        #expect(try next.personID(of: ada) == nil)
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
}
