import Domain
import Foundation
import Secrets
import TestSupport
import Testing

/// Payloads of runs have a key a workspace and day.
@Suite struct PayloadTests {
    private let bytes = Array("POST body".utf8)
    private let day = Timestamp(microseconds: 1_790_000_000_000_000)

    private func scope(_ name: String = "body", workspace: String = "default") -> PayloadScope {
        PayloadScope(
            workspace: WorkspaceName(workspace) ?? .default, runID: RunID(UUIDValue(high: 7, low: 7)), name: name)
    }

    @Test func aPayloadOpensForItsScopeAlone() async throws {
        try await withDirectory { directory in
            let vault = try await VaultFixture(directory).vault()
            let sealed = try await vault.seal(bytes, for: scope(), at: day)
            #expect(try vault.open(sealed, for: scope()) == bytes)
            #expect(sealed.count <= bytes.count + 120)
            for other in [scope("response"), scope(workspace: "other")] {
                #expect(
                    await code { () throws(SecretsError) in _ = try vault.open(sealed, for: other) } == .sealedDamaged)
            }
            for count in 0..<sealed.count {
                let cut = Array(sealed[..<count])
                #expect(await code { () throws(SecretsError) in _ = try vault.open(cut, for: scope()) } != nil)
            }
        }
    }

    @Test func aDayGivenUpTakesItsPayloadsAndNoOthers() async throws {
        try await withDirectory { directory in
            let fixture = VaultFixture(directory)
            let vault = try await fixture.vault()
            let old = try await vault.seal(bytes, for: scope(), at: day.adding(.seconds(-86_400)))
            let foreign = try await vault.seal(bytes, for: scope(workspace: "b"), at: day.adding(.seconds(-90_000)))
            let new = try await vault.seal(bytes, for: scope(), at: day)
            #expect(try await vault.destroyPayloadKeys(before: day) == 2)
            for vault in [vault, try await fixture.vault()] {
                #expect(
                    await code { () throws(SecretsError) in _ = try vault.open(old, for: scope()) } == .keyDestroyed)
                let elsewhere = scope(workspace: "b")
                #expect(
                    await code { () throws(SecretsError) in _ = try vault.open(foreign, for: elsewhere) }
                        == .keyDestroyed)
                #expect(try vault.open(new, for: scope()) == bytes)
            }
        }
    }

    /// The keyring keeps the day up to which keys were destroyed: a later one that is missing was lost.
    @Test func aMissingKeyOfADayThatDidNotExpireIsToldFromOneThatDid() async throws {
        try await withDirectory { directory in
            var payloads: Set<PayloadKeyID> = []
            let fixture = VaultFixture(directory)
            for number in 0..<3 {
                let time = day.adding(.seconds(86_400 * number))
                let sealed = try await fixture.vault().seal(bytes, for: scope(), at: time)
                payloads.insert(try #require(PayloadKeyID(sealed: sealed)))
            }
            let other = VaultFixture(directory + "/keyring-of-another")
            try FileManager.default.createDirectory(atPath: other.directory, withIntermediateDirectories: false)
            #expect(try await other.vault().presentKeys.unexpired(payloads).isEmpty, "nothing is known of that yet")
            #expect(try await other.vault().destroyPayloadKeys(before: day.adding(.seconds(86_400))) == 0)
            for _ in 0..<2 { #expect(try await other.vault().presentKeys.unexpired(payloads).count == 2) }
            #expect(try other.rotate() > 0)
            #expect(try await other.vault().presentKeys.unexpired(payloads).count == 2)
            _ = try await other.vault().destroyPayloadKeys(before: day)
            #expect(try await other.vault().presentKeys.unexpired(payloads).count == 2, "the day never returns")
        }
    }

    @Test func manyWhoSealAtOnceTakeOneKey() async throws {
        try await withDirectory { directory in
            let fixture = VaultFixture(directory)
            let vault = try await fixture.vault()
            let size = try fixture.contents(fixture.keyringPath).count
            let sealed = try await withThrowingTaskGroup(of: [UInt8].self) { group in
                for _ in 0..<64 { group.addTask { try await vault.seal(bytes, for: scope(), at: day) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(try fixture.contents(fixture.keyringPath).count == size + 256)
            let reopened = try await fixture.vault()
            for sealed in sealed { #expect(try reopened.open(sealed, for: scope()) == bytes) }
        }
    }
}
