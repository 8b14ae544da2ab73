import Domain
import Secrets
import Testing

/// A process may end within any write: nothing that was promised before is lost, and nothing that was destroyed returns.
@Suite struct KeyringCrashTests {
    /// Runs `act` again and again, each time ended one change later, and looks at what is left in every way.
    private func crashEverywhere(
        _ world: KeyringWorld, _ act: (KeyringWorld) async throws(SecretsError) -> Void,
        _ check: (_ before: KeyringWorld, _ after: KeyringWorld, String) async throws -> Void
    ) async throws {
        for count in 0... {
            let run = world.copy()
            run.storage.crash(after: count)
            _ = await error { () throws(SecretsError) in try await act(run) }
            for aftermath in SimulatedKeyStorage.Aftermath.allCases {
                let survivor = KeyringWorld(run.storage.survivor(aftermath))
                try await check(run, survivor, "after \(count) changes, \(aftermath)")
            }
            guard run.storage.isCrashed else { return #expect(count > 3) }
        }
    }

    @Test func insertedKeysAreThereOrNotAndTheOthersStay() async throws {
        let (world, sealed) = try await KeyringWorld.made(secrets: 4)
        try await world.vault().destroy([sealed[1].keyID])
        let kept = sealed.filter { $0.keyID != sealed[1].keyID }
        try await crashEverywhere(world) { (world) throws(SecretsError) in
            let vault = try await world.vault()
            _ = try await vault.seal(Array(repeating: (VaultFixture.reference(), KeyringWorld.value), count: 3))
        } _: { before, after, place in
            let keyring = try after.keyring()
            let vault = try await after.vault()
            #expect(after.openCount(kept, vault) == 3, "\(place)")
            #expect(keyring.report.loss == nil, "\(place)")
            #expect(after.slots() == after.slots(KeyringWorld.files[1]), "\(place)")
            if !before.storage.isCrashed { #expect(after.slots().count == 7, "an acknowledged key stays: \(place)") }
        }
    }

    @Test func destroyedKeysAreNowhereAndTheOthersStay() async throws {
        let (world, sealed) = try await KeyringWorld.made(secrets: 4)
        let gone = try #require(world.slots()[3])
        #expect(world.storage.contains(Array(gone[60..<100])))
        let keyIDs = [sealed[1].keyID]
        try await crashEverywhere(world) { (world) throws(SecretsError) in
            try await world.vault().destroy(keyIDs)
        } _: { before, after, place in
            let kept = sealed.filter { $0.keyID != keyIDs[0] }
            let vault = try await after.vault()
            #expect(after.openCount(kept, vault) == 3, "\(place)")
            // A destruction that was not acknowledged is repeated, as the start does it.
            if before.storage.isCrashed { try await vault.destroy(keyIDs) }
            #expect(!vault.canOpen(keyIDs[0]), "\(place)")
            #expect(!after.storage.contains(Array(gone[60..<100])), "\(place)")
            #expect(after.slots().count == 4 && after.slots() == after.slots(KeyringWorld.files[1]), "\(place)")
        }
    }

    @Test func aKeyringOfTheFirstFormatIsUpgradedWithEveryKey() async throws {
        let (world, sealed) = try await KeyringWorld.made(secrets: 4)
        try world.asFirstFormat()
        try await crashEverywhere(world) { (world) throws(SecretsError) in
            let report = try world.keyring().report
            #expect(report.isUpgrade && report.mended.isEmpty)
        } _: { _, after, place in
            let vault = try await after.vault()
            #expect(after.openCount(sealed, vault) == 4, "\(place)")
            #expect(after.slots().count == 5 && after.slots() == after.slots(KeyringWorld.files[1]), "\(place)")
            let report = try after.keyring().report
            #expect(!report.isUpgrade && report.mended.isEmpty, "\(place)")
        }
    }

    @Test func aKeyringOfTheSecondFormatIsUpgradedWithEveryKey() async throws {
        let (world, sealed) = try await KeyringWorld.made(secrets: 2)
        let ada = PersonName(workspace: .default, userID: "ada")
        let vault = try await world.vault()
        try await vault.makeKeys(of: [ada])
        let id = try #require(try vault.personID(of: ada))
        world.asSecondFormat()
        try await crashEverywhere(world) { (world) throws(SecretsError) in
            let report = try world.keyring().report
            #expect(report.isUpgrade && report.mended.isEmpty)
        } _: { _, after, place in
            let vault = try await after.vault()
            #expect(after.openCount(sealed, vault) == 2, "\(place)")
            #expect(try vault.personID(of: ada) == id, "\(place)")
            let report = try after.keyring().report
            #expect(!report.isUpgrade && report.mended.isEmpty, "\(place)")
            try await vault.destroy([id])
            #expect(try await after.vault().personID(of: ada) == nil, "\(place)")
        }
    }

    @Test func peopleWhoAreErasedTogetherAreNowhereAndTheOthersStay() async throws {
        let world = KeyringWorld()
        let people = (0..<6).map { PersonName(workspace: .default, userID: "person-\($0)") }
        let vault = try await world.vault(isFirstStart: true)
        try await vault.makeKeys(of: Set(people))
        let ids = try people.map { try #require(try vault.personID(of: $0)) }
        let before = world.slots()
        try await crashEverywhere(world) { (world) throws(SecretsError) in
            try await world.vault().destroy(Array(ids[..<4]))
        } _: { before, after, place in
            let vault = try await after.vault()
            #expect(try people[4...].map { try vault.personID(of: $0) } == Array(ids[4...]), "\(place)")
            // Erasures that were not acknowledged are repeated, as the start does it.
            if before.storage.isCrashed { try await vault.destroy(Array(ids[..<4])) }
            #expect(try people[..<4].allSatisfy { try vault.personID(of: $0) == nil }, "\(place)")
            #expect(after.slots().count == 3 && after.slots() == after.slots(KeyringWorld.files[1]), "\(place)")
            let gone = world.slots().filter { after.slots()[$0.key] == nil }
            #expect(gone.count == 4, "\(place)")
            for slot in gone.values { #expect(!after.storage.contains(Array(slot[44..<104])), "\(place)") }
        }
        #expect(world.slots() == before, "each crash has files of its own")
    }

    @Test func aRotationWrapsAllKeysOrNone() async throws {
        let (world, sealed) = try await KeyringWorld.made(secrets: 4)
        try await world.vault().destroy([sealed[0].keyID])
        try await crashEverywhere(world) { (world) throws(SecretsError) in
            _ = try world.rotate()
        } _: { before, after, place in
            let vault = try await after.vault()
            #expect(after.openCount(sealed, vault) == 3, "\(place)")
            #expect(after.storage["/data/master.key.new"] == nil, "\(place)")
            #expect(after.slots() == after.slots(KeyringWorld.files[1]), "\(place)")
            guard !before.storage.isCrashed else { return }
            #expect(after.storage["/data/master.key"] != world.storage["/data/master.key"])
            for slot in world.slots().values {
                #expect(!after.storage.contains(Array(slot[60..<100])), "no key stays wrapped under the old one")
            }
        }
    }

    /// As a kill in the middle of any write: every length of the keyring's own writes, a few at a time.
    @Test func aRotationThatIsCutWithinAnyWriteLosesNothing() async throws {
        let (world, sealed) = try await KeyringWorld.made(secrets: 4)
        let stride = stride(from: 0, through: 7 * 256, by: 61)
        for count in 0... {
            var isCrashed = false
            for tornBytes in stride {
                let run = world.copy()
                run.storage.crash(after: count, tornBytes: tornBytes)
                _ = await error { () throws(SecretsError) in _ = try run.rotate() }
                isCrashed = run.storage.isCrashed
                let survivor = KeyringWorld(run.storage.survivor(.kept))
                let place = "after \(count) changes and \(tornBytes) bytes"
                let vault = try await survivor.vault()
                #expect(survivor.openCount(sealed, vault) == 4, "\(place)")
                #expect(survivor.slots() == survivor.slots(KeyringWorld.files[1]), "\(place)")
            }
            guard isCrashed else { return #expect(count > 10) }
        }
    }

    @Test func mendingLosesNothing() async throws {
        let (world, sealed) = try await KeyringWorld.made(secrets: 4)
        for (file, slot) in [(0, 3), (1, 4)] { world.flip(KeyringWorld.files[file], slot: slot) }
        world.storage[KeyringWorld.files[2]] = nil
        try await crashEverywhere(world) { (world) throws(SecretsError) in
            _ = try world.keyring()
        } _: { _, after, place in
            let vault = try await after.vault()
            #expect(after.openCount(sealed, vault) == 4, "\(place)")
        }
    }

    @Test func aFirstStartThatWasBrokenOffBeginsAgain() async throws {
        try await crashEverywhere(KeyringWorld()) { (world) throws(SecretsError) in
            _ = try await world.vault(isFirstStart: true)
        } _: { _, after, place in
            let vault = try await after.vault(isFirstStart: true)
            _ = try await vault.seal([(VaultFixture.reference(), KeyringWorld.value)])
            #expect(after.slots().count == 2, "\(place)")
        }
    }
}
