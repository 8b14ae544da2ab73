import CommandHandling
import Domain
import EventLog
import TestSupport

/// Any bytes give a memory that goes on as the one that was written would, or none.
enum SnapshotFuzzing {
    static func run(_ input: [UInt8]) throws {
        var reader = InputReader(input)
        switch reader.byte() & 3 {
        case 0: try checkFile(Array(reader.rest))
        case 1: try checkFile(wholeFile(position: reader.integer(), contents: Array(reader.rest)))
        default: try checkMemory(Array(reader.rest))
        }
    }

    private static let limits = Limits()
    /// Begins within a command, as what follows a snapshot may.
    private static let events: [RecordedEvent] = {
        var generator = LogGenerator(seed: 1)
        return Array(generator.events(60).drop { $0.event.causation.index == 0 }.prefix(20))
    }()

    private static func checkFile(_ bytes: [UInt8]) throws {
        let storage = MemoryLogStorage()
        storage.edit("00000000000000000007.snapshot") { $0 = bytes }
        guard let snapshot = try SnapshotFile.newest(in: storage) else { return }
        try SnapshotFile.save(snapshot, to: storage)
        try promise(try storage.names().count == 1, "an older snapshot is left")
        try promise(try SnapshotFile.newest(in: storage) == snapshot, "another snapshot comes back")
    }

    private static func checkMemory(_ bytes: [UInt8]) throws {
        guard var memory = WriterMemory(snapshot: bytes, limits: limits) else { return }
        guard var again = WriterMemory(snapshot: memory.snapshot, limits: limits) else {
            throw BrokenPromise(description: "the snapshot of a memory is none")
        }
        try promise(again == memory, "another memory comes back")
        // A start takes a snapshot only of a position that the log has.
        guard memory.position.value < Frame.positionMax - UInt64(events.count) else { return }
        for event in events {
            let next = RecordedEvent(position: memory.position.next, event: event.event)
            memory.evolve(next)
            again.evolve(next)
        }
        try promise(again == memory, "a memory that was read goes on otherwise")
    }

    private static func wholeFile(position: UInt64, contents: [UInt8]) -> [UInt8] {
        var bytes = Array("SLSN".utf8) + [1, 0, 0, 0] + [UInt8](repeating: 0, count: 16)
        bytes.overwrite(at: 8, with: position)
        bytes.overwrite(at: 16, with: UInt64(contents.count))
        bytes += contents
        let checksum = CRC32C.checksum(bytes)
        bytes += [0, 0, 0, 0]
        bytes.overwrite(at: bytes.count - 4, with: checksum)
        return bytes
    }
}
