import Domain
import Foundation
import Secrets
import TestSupport
import Testing

/// The keyring and its master key survive what befalls them, or say what is wrong.
@Suite struct KeyringTests {
    private let value: [UInt8] = [1, 2, 3]
    private let reference = VaultFixture.reference()

    @Test func theFirstStartMakesAMasterKeyForItsOwnerAlone() async throws {
        try await withDirectory { directory in
            let fixture = VaultFixture(directory)
            _ = try await fixture.vault()
            for path in [fixture.masterKeyPath, fixture.keyringPath] {
                let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
                #expect(mode == 0o600, "\(path)")
            }
            let names = try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
            #expect(names == ["keyring", "keyring.id", "keyring.second", "master.key"])
        }
    }

    @Test func aMasterKeyThatCannotBeRightIsRefusedWithItsReason() async throws {
        try await withDirectory { directory in
            let fixture = VaultFixture(directory)
            _ = try await fixture.vault()
            let files = FileManager.default
            try files.setAttributes([.posixPermissions: 0o640], ofItemAtPath: fixture.masterKeyPath)
            #expect(await fixture.refusal() == .masterKeyExposed)
            try files.setAttributes([.posixPermissions: 0o600], ofItemAtPath: fixture.masterKeyPath)
            try Data("no key".utf8).write(to: URL(filePath: fixture.masterKeyPath))
            #expect(await fixture.refusal() == .masterKeyMalformed)
            try Data(base64(of: 7).utf8).write(to: URL(filePath: fixture.masterKeyPath))
            #expect(await fixture.refusal() == .masterKeyWrong)
            #expect(await VaultFixture(directory, configured: .generate()).refusal() == .masterKeyWrong)
            try files.removeItem(atPath: fixture.masterKeyPath)
            #expect(await fixture.refusal() == .masterKeyMissing)
            #expect(!files.fileExists(atPath: fixture.masterKeyPath), "no other key takes its place")
            for path in [fixture.keyringPath, fixture.keyringPath + ".second"] {
                try Data("junk".utf8).write(to: URL(filePath: path))
            }
            #expect(await fixture.refusal() == .keysLost)
        }
    }

    @Test func aMasterKeyOfTheEnvironmentIsWrittenNowhere() async throws {
        try await withDirectory { directory in
            let fixture = VaultFixture(directory, configured: MasterKey(base64: base64(of: 5)))
            let sealed = try await fixture.vault().seal([(reference, value)])[0]
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
                    == ["keyring", "keyring.id", "keyring.second"])
            #expect(try fixture.contents(fixture.keyringPath).range(of: Data(repeating: 5, count: 32)) == nil)
            #expect(try await fixture.vault().open(sealed, of: reference) == value)
        }
    }

    @Test func aMasterKeyShowsNothingOfItself() throws {
        let text = base64(of: 65)
        let key = try #require(MasterKey(base64: text + "\n"))
        for shown in ["\(key)", String(reflecting: key), String(describing: [key])] {
            #expect(!shown.contains(text) && !shown.contains("AAAA") && !shown.contains("65"))
        }
        #expect(MasterKey(base64: String(text.dropLast(8))) == nil && MasterKey(base64: "") == nil)
    }

    @Test func aKeyThatWasHalfWrittenIsNotThereAndTheOthersAre() async throws {
        try await withDirectory { directory in
            let fixture = VaultFixture(directory)
            let first = try await fixture.vault().seal([(reference, value)])[0]
            let before = try fixture.contents(fixture.keyringPath)
            let second = try await fixture.vault().seal([(reference, value)])[0]
            let whole = try fixture.contents(fixture.keyringPath)
            for count in stride(from: before.count, to: whole.count, by: 5) {
                // The second file has no part of the change yet.
                try whole[..<count].write(to: URL(filePath: fixture.keyringPath))
                try before.write(to: URL(filePath: fixture.keyringPath + ".second"))
                let keyring = try fixture.keyring()
                let vault = try await fixture.vault()
                #expect(try vault.open(first, of: reference) == value)
                #expect(!vault.canOpen(second.keyID))
                #expect(keyring.report.mended.count == 1)
                // What comes next takes that place.
                let third = try await vault.seal([(reference, value)])[0]
                #expect(try await fixture.vault().open(third, of: reference) == value)
                #expect(try fixture.contents(fixture.keyringPath).count == whole.count)
            }
        }
    }

    @Test func placesOfDestroyedKeysAreUsedAgain() async throws {
        try await withDirectory { directory in
            let fixture = VaultFixture(directory)
            var vault = try await fixture.vault()
            var sealed = try await vault.seal(Array(repeating: (reference, value), count: 10))
            let size = try fixture.contents(fixture.keyringPath).count
            for round in 0..<6 {
                if round == 3 { vault = try await fixture.vault() }
                try await vault.destroy(sealed[3..<8].map(\.keyID))
                sealed.replaceSubrange(
                    3..<8, with: try await vault.seal(Array(repeating: (reference, value), count: 5)))
            }
            #expect(try fixture.contents(fixture.keyringPath).count == size)
            let reopened = try await fixture.vault()
            for sealed in sealed { #expect(try reopened.open(sealed, of: reference) == value) }
        }
    }

    @Test func afterARotationOnlyTheNewMasterKeyOpens() async throws {
        try await withDirectory { directory in
            let fixture = VaultFixture(directory)
            let sealed = try await fixture.vault().seal([(reference, value)])[0]
            let old = try fixture.contents(fixture.masterKeyPath)
            #expect(try fixture.rotate() == 2)
            let new = try fixture.contents(fixture.masterKeyPath)
            #expect(new != old)
            #expect(try await fixture.vault().open(sealed, of: reference) == value)
            let names = try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
            #expect(names == ["keyring", "keyring.id", "keyring.second", "master.key"])
            try old.write(to: URL(filePath: fixture.masterKeyPath))
            #expect(await fixture.refusal() == .masterKeyWrong)
        }
    }

    @Test func theEnvironmentsMasterKeyIsRotatedToTheOneGiven() async throws {
        try await withDirectory { directory in
            let (old, new) = (MasterKey.generate(), MasterKey.generate())
            let sealed = try await VaultFixture(directory, configured: old).vault().seal([(reference, value)])[0]
            _ = try VaultFixture(directory, configured: old).rotate(to: new)
            #expect(await VaultFixture(directory, configured: old).refusal() == .masterKeyWrong)
            #expect(try await VaultFixture(directory, configured: new).vault().open(sealed, of: reference) == value)
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
                    == ["keyring", "keyring.id", "keyring.second"])
        }
    }

    private func base64(of byte: UInt8) -> String { Data(repeating: byte, count: 32).base64EncodedString() }
}
