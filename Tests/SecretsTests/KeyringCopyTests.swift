import Foundation
import Secrets
import TestSupport
import Testing

@Suite struct KeyringCopyTests {
    @Test func copyOpensWithTheSameMasterKey() async throws {
        try await withDirectory { directory in
            let fixture = VaultFixture(directory)
            let sealed = try await fixture.vault().seal([(VaultFixture.reference(), Array("value".utf8))])
            #expect(try KeyringCopy.make(of: fixture.keyringPath, to: directory + "/copy"))
            try FileManager.default.removeItem(atPath: fixture.keyringPath)
            try FileManager.default.moveItem(atPath: directory + "/copy", toPath: fixture.keyringPath)
            let opened = try await fixture.vault().open(try #require(sealed.first), of: VaultFixture.reference())
            #expect(opened == Array("value".utf8))
        }
    }

    @Test func slotThatIsHalfWrittenIsFreeInTheCopy() async throws {
        try await withDirectory { directory in
            let fixture = VaultFixture(directory)
            _ = try await fixture.vault().seal([(VaultFixture.reference(), Array("value".utf8))])
            var bytes = Array(try fixture.contents(fixture.keyringPath))
            bytes.replaceSubrange((bytes.count - 128)..., with: [UInt8](repeating: 0, count: 128))
            try Data(bytes).write(to: URL(filePath: fixture.keyringPath))
            #expect(try KeyringCopy.make(of: fixture.keyringPath, to: directory + "/copy"))
            let copy = Array(try fixture.contents(directory + "/copy"))
            #expect(copy.count == bytes.count && copy.suffix(256).allSatisfy { $0 == 0 })
        }
    }

    @Test func fileThatARotationHasErasedIsNotCopied() async throws {
        try await withDirectory { directory in
            let fixture = VaultFixture(directory)
            _ = try await fixture.vault()
            let count = try fixture.contents(fixture.keyringPath).count
            try Data(repeating: 0, count: count).write(to: URL(filePath: fixture.keyringPath))
            let refusal = await code { () throws(SecretsError) in
                _ = try KeyringCopy.make(of: fixture.keyringPath, to: directory + "/copy")
            }
            #expect(refusal == .keyringUnusable)
            #expect(!FileManager.default.fileExists(atPath: directory + "/copy"))
        }
    }

    @Test func withoutAKeyringThereIsNoCopy() throws {
        #expect(try !KeyringCopy.make(of: "/nonexistent/keyring", to: "/nonexistent/copy"))
    }
}
