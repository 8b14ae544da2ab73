import CommandHandling
import Domain
import EventLog
import EventStore
import TestSupport
import Testing

/// A start from a snapshot comes to what a start from the whole log comes to.
@Suite struct SnapshotTests {
    private static let limits = Limits()

    @Test(arguments: [1, 2, 3] as [UInt64])
    func aMemoryThatIsReadAgainGoesOnLikeTheOneThatWasWritten(seed: UInt64) throws {
        var generator = LogGenerator(seed: seed)
        var random = SeededRandom(seed: seed)
        var memory = WriterMemory(limits: Self.limits)
        var restored = memory
        for event in generator.events(20_000) {
            memory.evolve(event)
            restored.evolve(event)
            guard random.chance(1) else { continue }
            #expect(restored == memory, "at position \(event.position)")
            restored = try #require(WriterMemory(snapshot: memory.snapshot, limits: Self.limits))
            #expect(restored == memory, "at position \(event.position)")
        }
        #expect(!memory.state.runs.isEmpty && !memory.state.apiKeys.isEmpty && !memory.state.accessRequests.isEmpty)
    }

    @Test func bytesThatNobodyWroteAreNoSnapshot() {
        var generator = LogGenerator(seed: 4)
        var memory = WriterMemory(limits: Self.limits)
        for event in generator.events(300) { memory.evolve(event) }
        let bytes = memory.snapshot
        for count in stride(from: 0, to: bytes.count, by: 7) {
            // Cut between two fields it is a smaller memory: the file's checksum, and the position, tell that.
            _ = WriterMemory(snapshot: Array(bytes.prefix(count)), limits: Self.limits)
        }
        #expect(WriterMemory(snapshot: [], limits: Self.limits) == nil)
        #expect(WriterMemory(snapshot: [8, 0x7f] + bytes.dropFirst(2), limits: Self.limits) == nil)
    }

    @Test func aStartFoldsOnlyWhatCameAfterTheSnapshot() async throws {
        let (backend, files) = (InMemoryLogBackend(), MemoryLogStorage())
        var keys: [Position] = []
        for round in 0..<3 {
            let writer = try await Writer(backend, snapshots: files)
            try await writer.running {
                keys.append(try await writer.createRun(token("key-\(round)")).receipt.position)
                // Those of earlier lives are known from the snapshot.
                for (earlier, position) in keys.enumerated() {
                    let again = try await writer.createRun(token("key-\(earlier)")).receipt
                    #expect(again.position == position && again.isRepeated, "\(earlier) in life \(round)")
                }
            }
            let snapshot = try #require(try SnapshotFile.newest(in: files))
            #expect(snapshot.position == keys.last?.value)
        }
        #expect(await backend.durablePosition == 3)
        // Damage before the snapshot's position is not looked at by such a start; `log verify` is there for that.
        let newest = try await backend.read(from: 3, bytesMax: 1).compactMap(\.bytes)
        let damaged = InMemoryLogBackend(records: [[0], [0]] + newest)
        _ = try await Writer(damaged, snapshots: files)
        await #expect(throws: CommandError.self) { try await Writer(damaged, snapshots: MemoryLogStorage()) }
    }

    @Test func aSnapshotOfAnotherLogIsNotUsed() async throws {
        let files = MemoryLogStorage()
        var ids: [RunID] = []
        for _ in 0..<2 {
            let writer = try await Writer(snapshots: files)
            try await writer.running {
                let id = try await writer.createRun().id
                ids.append(id)
                #expect(writer.commands.activeRun(ids[0]) == nil || ids.count == 1)
                #expect(writer.commands.activeRun(id) != nil)
            }
        }
    }

    @Test func aSnapshotIsKeptWhileTheWriterWorks() async throws {
        let files = MemoryLogStorage()
        let backend = InMemoryLogBackend()
        let writer = try await Writer(backend, snapshots: files, snapshotEventsMin: 10)
        try await writer.running {
            let run = try await writer.createRun().id
            while try SnapshotFile.newest(in: files) == nil { _ = try await writer.say(run) }
            let snapshot = try #require(try SnapshotFile.newest(in: files))
            #expect(snapshot.position >= 10)
            #expect(WriterMemory(snapshot: snapshot.contents, limits: Self.limits)?.position.value == snapshot.position)
        }
    }
}
