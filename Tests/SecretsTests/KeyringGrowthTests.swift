import Domain
import Secrets
import Testing

/// The keyring has no fixed end; people have shares of it, and a change costs the same however many there are.
@Suite struct KeyringGrowthTests {
    private let rule = ShareRule(total: 8)

    private func people(_ range: Range<Int>, in workspace: WorkspaceName = .default) -> [PersonName] {
        range.map { PersonName(workspace: workspace, userID: "person-\($0)") }
    }

    private func key(_ number: UInt64) -> Actor {
        Actor(kind: .apiKey(APIKeyID(UUIDValue(high: 0, low: number))), name: "key-\(number)")
    }

    /// Takes in people one after the other until one is refused.
    private func fill(
        _ vault: SecretVault, by actor: Actor, in workspace: WorkspaceName = .default, from first: Int
    ) async throws -> (taken: Int, RejectionErrorCode?) {
        for number in first..<first + 20 {
            let person = PersonName(workspace: workspace, userID: "person-\(number)")
            if let refusal = vault.refusal(of: person, by: actor, rule) { return (number - first, refusal.code) }
            try await vault.makeKeys(of: [person: actor])
        }
        return (20, nil)
    }

    @Test func aKeyCostsTheSameHoweverManyThereAre() async throws {
        let world = KeyringWorld()
        let vault = try await world.vault(isFirstStart: true)
        var costs: [[Int]] = []
        for count in [10, 2_000] {
            try await vault.makeKeys(of: Set(people(0..<count)))
            let (bytes, syncs) = (world.storage.bytesWritten, world.storage.syncs)
            try await vault.makeKeys(of: Set(people(count..<count + 1)))
            costs.append([world.storage.bytesWritten - bytes, world.storage.syncs - syncs])
        }
        #expect(costs == [[1024, 2], [1024, 2]], "a slot and a header in each file")
    }

    @Test func peopleWhoAreErasedTogetherCostOneChange() async throws {
        let world = KeyringWorld()
        let vault = try await world.vault(isFirstStart: true)
        let names = people(0..<200)
        try await vault.makeKeys(of: Set(names))
        let ids = try names.compactMap { try vault.personID(of: $0) }
        let mark = vault.keyringMark
        let syncs = world.storage.syncs
        try await vault.destroy(ids)
        #expect(world.storage.syncs == syncs + 2, "one in each file")
        #expect(vault.keyringMark.generation == mark.generation + 1)
        #expect(vault.keyCounts[.person] == 0)
    }

    @Test func keysAreCountedByKindAlsoAfterARestart() async throws {
        let (world, sealed) = try await KeyringWorld.made(secrets: 3)
        let vault = try await world.vault()
        try await vault.makeKeys(of: Set(people(0..<5)))
        let scope = PayloadScope(workspace: .default, runID: RunID(UUIDValue(high: 1, low: 1)), name: "x")
        for day in 1...2 {
            _ = try await vault.seal([1], for: scope, at: Timestamp(microseconds: Int64(day) * 86_400_000_000))
        }
        try await vault.destroy([sealed[0].keyID])
        for vault in [vault, try await world.vault()] {
            #expect(KeyKind.allCases.map { vault.keyCounts[$0] } == [5, 2, 2, 1])
            #expect(vault.keyCounts.total == 10)
        }
    }

    @Test func aGreedyPrincipalLeavesRoomForOthers() async throws {
        let world = KeyringWorld()
        let other = try #require(WorkspaceName("other"))
        let vault = try await world.vault(isFirstStart: true)
        let first = try await fill(vault, by: key(1), from: 0)
        #expect(first.taken == 2 && first.1 == .shareExceeded, "half of what a workspace may have")
        #expect(vault.refusal(of: people(0..<1)[0], by: key(1), rule) == nil, "known people are no new ones")
        let again = try await world.vault()
        #expect(again.refusal(of: people(2..<3)[0], by: key(1), rule)?.code == .shareExceeded, "after a restart too")
        let second = try await fill(again, by: key(2), from: 100)
        #expect(second.taken == 1 && second.1 == .shareExceeded)
        #expect(try await fill(again, by: key(3), in: other, from: 200).taken >= 1)
        let erased = try people(0..<2).map { try #require(try again.personID(of: $0)) }
        try await again.destroy(erased)
        #expect(again.refusal(of: people(2..<3)[0], by: key(1), rule) == nil, "erasures make room")
    }

    @Test func aKeyringWithoutRoomRefusesNewPeopleAndOpensForKnownOnes() async throws {
        let vault = try await KeyringWorld().vault(isFirstStart: true)
        try await vault.makeKeys(of: Set(people(0..<8)))
        #expect(vault.refusal(of: people(8..<9)[0], by: key(1), rule)?.code == .limitReached)
        #expect(vault.refusal(of: people(7..<8)[0], by: key(1), rule) == nil)
        // What Sluice itself records of a person is sealed all the same.
        try await vault.makeKeys(of: Set(people(8..<9)))
        #expect(vault.keyCounts[.person] == 9)
    }
}
