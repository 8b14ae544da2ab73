import Domain
import Foundation
import Secrets
import TestSupport
import Testing

@Suite struct KeyringCopyTests {
    @Test func copyOpensWithTheSameMasterKey() async throws {
        try await withDirectory { directory in
            let fixture = VaultFixture(directory)
            let sealed = try await fixture.vault().seal([(VaultFixture.reference(), Array("value".utf8))])
            #expect(try KeyringCopy.make(of: fixture.keyringPath, to: directory + "/copy") != nil)
            for suffix in ["", ".second", ".id"] {
                try FileManager.default.removeItem(atPath: fixture.keyringPath + suffix)
            }
            try FileManager.default.moveItem(atPath: directory + "/copy", toPath: fixture.keyringPath)
            let opened = try await fixture.vault().open(try #require(sealed.first), of: VaultFixture.reference())
            #expect(opened == Array("value".utf8))
        }
    }

    @Test(arguments: ["", ".second"]) func damagedFileIsNotCopiedWhileTheOtherOneIsWhole(suffix: String) async throws {
        try await withDirectory { directory in
            let fixture = VaultFixture(directory)
            _ = try await fixture.vault().seal([(VaultFixture.reference(), Array("value".utf8))])
            let whole = try fixture.contents(fixture.keyringPath)
            try Data(whole.dropLast(128)).write(to: URL(filePath: fixture.keyringPath + suffix))
            let inventory = try #require(try KeyringCopy.make(of: fixture.keyringPath, to: directory + "/copy"))
            #expect(inventory.count == 2)
            #expect(try fixture.contents(directory + "/copy") == whole)
        }
    }

    @Test func keyringThatIsDamagedInBothFilesIsNotCopied() async throws {
        try await withDirectory { directory in
            let fixture = VaultFixture(directory)
            _ = try await fixture.vault()
            for path in [fixture.keyringPath, fixture.keyringPath + ".second"] {
                let count = try fixture.contents(path).count
                try Data(repeating: 0, count: count).write(to: URL(filePath: path))
            }
            let refusal = await code { () throws(SecretsError) in
                _ = try KeyringCopy.make(of: fixture.keyringPath, to: directory + "/copy")
            }
            #expect(refusal == .keysLost)
            #expect(!FileManager.default.fileExists(atPath: directory + "/copy"))
        }
    }

    @Test func keysThatDidNotExpireAreToldFromThoseThatDid() async throws {
        try await withDirectory { directory in
            let fixture = VaultFixture(directory)
            let vault = try await fixture.vault()
            let sealed = try await vault.seal([(VaultFixture.reference(), [1])])
            try await vault.makeKeys(of: [PersonName(workspace: .default, userID: "ada")])
            let scope = PayloadScope(workspace: .default, runID: RunID(UUIDValue(high: 1, low: 1)), name: "x")
            for day in 1...3 {
                _ = try await vault.seal([1], for: scope, at: Timestamp(microseconds: Int64(day) * 86_400_000_000))
            }
            let before = try #require(try KeyringCopy.inventory(of: fixture.keyringPath))
            _ = try await vault.destroyPayloadKeys(before: Timestamp(microseconds: 2 * 86_400_000_000))
            let expired = try #require(try KeyringCopy.inventory(of: fixture.keyringPath))
            #expect(expired.dropped(since: before).isEmpty && expired.count == before.count - 1)
            #expect(before.dropped(since: expired).isEmpty)
            let lost = try #require(try await oneDayLess(than: fixture, directory + "/other"))
            #expect(lost.dropped(since: expired).payloads == 1, "the oldest day that did not expire, alone")
            try await vault.destroy(sealed.map(\.keyID))
            let deleted = try #require(try KeyringCopy.inventory(of: fixture.keyringPath))
            #expect(deleted.dropped(since: expired).secrets == Set(sealed.map(\.keyID)))
            let later = try #require(deleted.mark)
            #expect(later.continues(try #require(before.mark)))
        }
    }

    /// A keyring that has recorded the same expiry and has the newest day's key alone.
    private func oneDayLess(than fixture: VaultFixture, _ directory: String) async throws -> KeyringInventory? {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
        let other = VaultFixture(directory)
        let vault = try await other.vault()
        let scope = PayloadScope(workspace: .default, runID: RunID(UUIDValue(high: 1, low: 1)), name: "x")
        _ = try await vault.destroyPayloadKeys(before: Timestamp(microseconds: 2 * 86_400_000_000))
        _ = try await vault.seal([1], for: scope, at: Timestamp(microseconds: 3 * 86_400_000_000))
        return try KeyringCopy.inventory(of: other.keyringPath)
    }

    @Test func withoutAKeyringThereIsNoCopy() throws {
        #expect(try KeyringCopy.make(of: "/nonexistent/keyring", to: "/nonexistent/copy") == nil)
    }
}
