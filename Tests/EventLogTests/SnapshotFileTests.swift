import EventLog
import Testing

/// A snapshot is there whole, or not at all; losing one loses nothing else.
@Suite struct SnapshotFileTests {
    private func snapshot(_ position: UInt64, _ contents: [UInt8] = [1, 2, 3]) -> SnapshotFile.Snapshot {
        SnapshotFile.Snapshot(position: position, contents: contents)
    }

    @Test func theNewestIsGivenBackAndTheOthersAreRemoved() throws {
        let storage = MemoryLogStorage()
        #expect(try SnapshotFile.newest(in: storage) == nil)
        for position: UInt64 in [9, 10, 1_000_000] {
            let saved = snapshot(position, [UInt8](repeating: UInt8(truncatingIfNeeded: position), count: 500))
            try SnapshotFile.save(saved, to: storage)
            #expect(try SnapshotFile.newest(in: storage) == saved)
            #expect(try storage.names().count == 1)
        }
    }

    @Test func oneThatIsNotAsItWasWrittenCountsAsNone() throws {
        let storage = MemoryLogStorage()
        try SnapshotFile.save(snapshot(7), to: storage)
        let name = try #require(try storage.names().first)
        let whole = storage.bytes(of: name)
        for index in whole.indices {
            for bit in 0..<8 {
                storage.edit(name) { $0[index] ^= 1 << UInt8(bit) }
                #expect(try SnapshotFile.newest(in: storage) == nil)
                storage.edit(name) { $0 = whole }
            }
            storage.edit(name) { $0 = Array(whole.prefix(index)) }
            #expect(try SnapshotFile.newest(in: storage) == nil)
            storage.edit(name) { $0 = whole }
        }
    }

    @Test func theOlderOneIsThereUntilTheNewerOneIs() throws {
        let storage = MemoryLogStorage()
        try SnapshotFile.save(snapshot(7), to: storage)
        for fault in [MemoryLogStorage.Fault.noSpaceOnWrite, .failedSync] {
            storage.setFault(fault)
            #expect(throws: StorageError.self) { try SnapshotFile.save(snapshot(8), to: storage) }
            storage.setFault(nil)
            #expect(try SnapshotFile.newest(in: storage) == snapshot(7))
        }
        try SnapshotFile.save(snapshot(8), to: storage)
        #expect(try SnapshotFile.newest(in: storage.afterCrash()) == snapshot(8))
    }
}
