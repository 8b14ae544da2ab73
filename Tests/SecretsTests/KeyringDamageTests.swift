import Crypto
import Domain
import Secrets
import Testing

/// No damage of one file loses a key, and no damage of both is silent.
@Suite struct KeyringDamageTests {
    @Test(arguments: [0, 1]) func everyFlippedBitIsFoundAndMended(file: Int) async throws {
        let (world, sealed) = try await KeyringWorld.made(secrets: 1)
        let path = KeyringWorld.files[file]
        let whole = try #require(world.storage[path])
        for bit in 0..<8 * whole.count {
            let damaged = world.copy()
            var bytes = whole
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            damaged.storage[path] = bytes
            let keyring = try damaged.keyring()
            guard keyring.report.mended.count == 1, damaged.storage[path] == whole else {
                Issue.record("bit \(bit): \(keyring.report)")
                continue
            }
        }
        #expect(world.openCount(sealed, try await world.vault()) == 1)
    }

    @Test(arguments: [0, 1, 2]) func everyCutMissingOrEmptyFileIsFoundAndMended(file: Int) async throws {
        let (world, sealed) = try await KeyringWorld.made(secrets: 3)
        let path = KeyringWorld.files[file]
        let whole = try #require(world.storage[path])
        let cuts: [[UInt8]?] = [nil] + (0..<whole.count).map { Array(whole[..<$0]) } + [whole + [0], whole + whole]
        for (number, cut) in cuts.enumerated() {
            let damaged = world.copy()
            damaged.storage[path] = cut
            let keyring = try damaged.keyring()
            #expect(keyring.report.mended.count == 1, "cut \(number - 1)")
            #expect(damaged.storage[path] == whole, "cut \(number - 1)")
        }
        #expect(world.openCount(sealed, try await world.vault()) == 3)
        #expect(try world.keyring().report.mended.isEmpty)
    }

    @Test(arguments: [0, 1, 2]) func aFileOfAnotherDirectoryIsFoundAndMended(file: Int) async throws {
        let (world, sealed) = try await KeyringWorld.made(secrets: 3)
        let other = KeyringWorld(world.storage.survivor(.kept))
        for path in KeyringWorld.files { other.storage[path] = nil }
        _ = try await other.vault(isFirstStart: true)
        let path = KeyringWorld.files[file]
        let whole = try #require(world.storage[path])
        world.storage[path] = try #require(other.storage[path])
        #expect(whole != world.storage[path], "under the same master key")
        let vault = try await world.vault()
        #expect(world.openCount(sealed, vault) == 3)
        #expect(world.storage[path] == whole)
    }

    @Test(arguments: [0, 1]) func anOldCopyDoesNotReplaceANewerKeyring(file: Int) async throws {
        let (world, sealed) = try await KeyringWorld.made(secrets: 3)
        let old = try #require(world.storage[KeyringWorld.files[file]])
        let vault = try await world.vault()
        try await vault.destroy([sealed[0].keyID])
        let later = try await vault.seal([(VaultFixture.reference(), KeyringWorld.value)])
        world.storage[KeyringWorld.files[file]] = old
        let keyring = try world.keyring()
        #expect(keyring.report.mended.count == 1)
        let mended = try await world.vault()
        #expect(world.openCount(sealed + later, mended) == 3 && !mended.canOpen(sealed[0].keyID))
    }

    @Test func damageOfDifferentKeysInBothFilesLosesNone() async throws {
        let (world, sealed) = try await KeyringWorld.made(secrets: 3)
        world.flip(KeyringWorld.files[0], slot: 3)
        world.flip(KeyringWorld.files[1], slot: 4)
        let vault = try await world.vault()
        #expect(world.openCount(sealed, vault) == 3)
        #expect(try world.keyring().report.mended.isEmpty)
    }

    @Test func lostKeysAreCountedAndRefusedUntilTheLossIsAccepted() async throws {
        let (world, sealed) = try await KeyringWorld.made(secrets: 5)
        for path in KeyringWorld.files[..<2] { for slot in [3, 5] { world.flip(path, slot: slot) } }
        world.flip(KeyringWorld.files[0], slot: 6)
        let before = KeyringWorld.files.map { world.storage[$0] }
        let refusal = await error { () throws(SecretsError) in _ = try await world.vault() }
        #expect(refusal?.code == .keysLost)
        #expect(refusal?.description.contains("2 keys are lost, 4 are left") ?? false, "\(String(describing: refusal))")
        #expect(KeyringWorld.files.map { world.storage[$0] } == before, "a refused start changes nothing")
        let keyring = try world.keyring(acceptsLoss: true)
        #expect(keyring.report.loss?.lost == 2 && keyring.report.loss?.found == 4)
        #expect(world.openCount(sealed, try await world.vault()) == 3)
        #expect(try world.keyring().report.loss == nil)
    }

    @Test func aMissingKeyringIsReplacedOnlyWhenTheLossIsAccepted() async throws {
        let (world, _) = try await KeyringWorld.made(secrets: 1)
        for path in KeyringWorld.files { world.storage[path] = nil }
        #expect(await code { () throws(SecretsError) in _ = try world.keyring() } == .keysLost)
        #expect(world.storage[KeyringWorld.path] == nil)
        #expect(try world.keyring(acceptsLoss: true).report.isReplacement)
    }

    @Test(arguments: [[0, 1], [0, 1, 2]]) func emptiedFilesAreNoNewKeyring(files: [Int]) async throws {
        let (world, _) = try await KeyringWorld.made(secrets: 1)
        for file in files { world.storage[KeyringWorld.files[file]] = [] }
        #expect(await code { () throws(SecretsError) in _ = try world.keyring() } == .keysLost)
        #expect(await code { () throws(SecretsError) in _ = try world.keyring(isFirstStart: true) } == .keysLost)
    }

    @Test func aKeyringOfALaterFormatIsNotTakenForADamagedOne() async throws {
        let (world, _) = try await KeyringWorld.made(secrets: 1)
        var bytes = try #require(world.storage[KeyringWorld.path])
        bytes[8] = 4
        world.storage[KeyringWorld.path] = KeyringWorld.sealed(Array(bytes[..<248])) + bytes[256...]
        let refusal = await error { () throws(SecretsError) in _ = try world.keyring() }
        #expect(refusal?.code == .keyringUnusable && refusal?.description.contains("upgrade") ?? false)
    }
}

extension KeyringWorld {
    /// Flips a bit in the middle of a slot; the header is slot 0.
    func flip(_ path: String, slot: Int) { storage[path]?[slot * 256 + 100] ^= 4 }

    /// A slot with its checksum.
    static func sealed(_ contents: [UInt8]) -> [UInt8] {
        let padded = contents + [UInt8](repeating: 0, count: 248 - contents.count)
        return padded + SHA256.hash(data: padded).prefix(8)
    }
}

/// The error that `body` throws; `nil` when it throws none.
func error(_ body: () async throws(SecretsError) -> Void) async -> SecretsError? {
    do throws(SecretsError) {
        try await body()
        return nil
    } catch {
        return error
    }
}
