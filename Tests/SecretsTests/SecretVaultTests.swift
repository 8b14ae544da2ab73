import Domain
import Foundation
import Secrets
import TestSupport
import Testing

/// What is sealed opens for whom it belongs to, and for nobody else.
@Suite struct SecretVaultTests {
    private let value = Array("sk-live-0123456789".utf8)

    @Test func aSecretOpensAgainAlsoAfterARestart() async throws {
        try await withDirectory { directory in
            let fixture = VaultFixture(directory)
            let reference = VaultFixture.reference()
            let sealed = try await fixture.vault().seal([(reference, value)])[0]
            #expect(try await fixture.vault().open(sealed, of: reference) == value)
            #expect(!sealed.ciphertext.contains(value))
        }
    }

    @Test(arguments: [
        VaultFixture.reference("other"), VaultFixture.reference(owner: "other"), VaultFixture.reference(kind: .agent),
        VaultFixture.reference(workspace: "other"),
    ])
    func aCiphertextIsOfNoUseUnderAnotherName(other: SecretReference) async throws {
        try await withDirectory { directory in
            let vault = try await VaultFixture(directory).vault()
            let sealed = try await vault.seal([(VaultFixture.reference(), value)])[0]
            #expect(await code { () throws(SecretsError) in _ = try vault.open(sealed, of: other) } == .sealedDamaged)
        }
    }

    @Test func everyChangedByteIsNoticed() async throws {
        try await withDirectory { directory in
            let vault = try await VaultFixture(directory).vault()
            let reference = VaultFixture.reference()
            let sealed = try await vault.seal([(reference, value)])[0]
            for index in sealed.ciphertext.indices {
                var bytes = sealed.ciphertext
                bytes[index] ^= 1
                let changed = SealedSecret(keyID: sealed.keyID, ciphertext: bytes)
                #expect(await code { () throws(SecretsError) in _ = try vault.open(changed, of: reference) } != nil)
            }
            for count in sealed.ciphertext.indices {
                let cut = SealedSecret(keyID: sealed.keyID, ciphertext: Array(sealed.ciphertext[..<count]))
                #expect(await code { () throws(SecretsError) in _ = try vault.open(cut, of: reference) } != nil)
            }
        }
    }

    @Test(arguments: [0, 1, 17, 63, 64, 65, 127, 128, 4000])
    func aCiphertextHidesHowLongTheSecretIs(count: Int) async throws {
        try await withDirectory { directory in
            let vault = try await VaultFixture(directory).vault()
            let secret = [UInt8](repeating: 0, count: count)
            let sealed = try await vault.seal([(VaultFixture.reference(), secret)])[0]
            let padded = sealed.ciphertext.count - 28
            #expect(padded >= 64 && padded & (padded - 1) == 0 && padded > count)
            #expect(try vault.open(sealed, of: VaultFixture.reference()) == secret)
        }
    }

    @Test func aDestroyedKeyOpensNothingAndIsNowhereInTheFiles() async throws {
        try await withDirectory { directory in
            let fixture = VaultFixture(directory)
            let vault = try await fixture.vault()
            let (gone, kept) = (VaultFixture.reference("gone"), VaultFixture.reference("kept"))
            let before = try fixture.contents(fixture.keyringPath)
            let sealed = try await vault.seal([(gone, value), (kept, value)])
            // The slots that were just written, the first of them the one to go.
            let slot = try fixture.contents(fixture.keyringPath)[before.count..<before.count + 256]
            let wrapped = slot[(slot.startIndex + 44)..<(slot.startIndex + 104)]
            #expect(wrapped.contains { $0 != 0 })
            try await vault.destroy([sealed[0].keyID])
            #expect(try fixture.contents(fixture.keyringPath).range(of: wrapped) == nil)
            for vault in [vault, try await fixture.vault()] {
                #expect(
                    await code { () throws(SecretsError) in _ = try vault.open(sealed[0], of: gone) } == .keyDestroyed)
                #expect(try vault.open(sealed[1], of: kept) == value)
                #expect(!vault.canOpen(sealed[0].keyID) && vault.canOpen(sealed[1].keyID))
            }
        }
    }

    @Test func theLookAtTheStartDestroysWhatNoSecretNeeds() async throws {
        try await withDirectory { directory in
            let fixture = VaultFixture(directory)
            let vault = try await fixture.vault()
            let run = PayloadScope(workspace: .default, runID: RunID(UUIDValue(high: 1, low: 2)), name: "body")
            let payload = try await vault.seal(value, for: run, at: Timestamp(microseconds: 0))
            let reference = VaultFixture.reference()
            let sealed = try await vault.seal([(reference, value), (reference, value), (reference, value)])
            #expect(try await vault.destroySecretKeys(except: [sealed[1].keyID]) == 2)
            let reopened = try await fixture.vault()
            #expect(sealed.map { reopened.canOpen($0.keyID) } == [false, true, false])
            #expect(try reopened.open(payload, for: run) == value)
            #expect(reopened.fingerprint([1]) == vault.fingerprint([1]), "the key of fingerprints stays too")
        }
    }

    @Test func fingerprintsAreOfThisKeyringAlone() async throws {
        try await withDirectory { first in
            try await withDirectory { second in
                let one = try await VaultFixture(first).vault()
                let other = try await VaultFixture(second).vault()
                #expect(one.fingerprint([1], [2]) == one.fingerprint([1, 2]))
                #expect(one.fingerprint([1]) != other.fingerprint([1]))
            }
        }
    }
}

extension [UInt8] {
    fileprivate func contains(_ part: [UInt8]) -> Bool {
        indices.contains { self[$0...].starts(with: part) }
    }
}
