import Domain
import EventLog
import EventStore
import Foundation
import Testing

/// Logs written by every released schema version stay readable, and mean the same for ever.
@Suite struct GoldenLogTests {
    private static let directory = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../schemas/golden/v1/log").standardized

    @Test func readsTheLogOfVersionOneAndWritesWhatItSaysByteForByte() async throws {
        let backend = FileLogBackend(try openLog(try Self.goldenStorage()))
        let records = try await backend.read(from: 1, bytesMax: .max).compactMap(\.bytes)
        #expect(UInt64(records.count) == backend.durablePosition)
        var ordinals: Set<Int> = []
        for (index, record) in records.enumerated() {
            let event = try EventCodec.decode(record, at: UInt64(index + 1))
            ordinals.insert(EventSamples.ordinal(event.payload))
            let encoded = EventCodec.encode(event)
            if event.payload.isSealedElsewhereNow {
                #expect(try EventCodec.decode(encoded, at: UInt64(index + 1)) == event)
            } else {
                #expect(encoded == record)
            }
        }
        #expect(ordinals.isSuperset(of: 0...23))
    }

    /// Writes the log of a new version, once: `SLUICE_WRITE_GOLDEN=1`. A released one is never written again.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["SLUICE_WRITE_GOLDEN"] != nil))
    func writesTheLogOfTheCurrentVersion() async throws {
        try #require(!FileManager.default.fileExists(atPath: Self.directory.path), "it is written already")
        try FileManager.default.createDirectory(at: Self.directory, withIntermediateDirectories: true)
        let log = try openLog(try PosixLogStorage(directory: Self.directory.path), segmentBytesMax: 6 * 1024)
        let store = await EventStore(backend: FileLogBackend(log))
        for start in stride(from: 0, to: EventSamples.all.count, by: 8) {
            _ = try await store.append(Array(EventSamples.all[start..<min(start + 8, EventSamples.all.count)]))
        }
    }

    /// The golden log's files in memory, because opening a log may write to it.
    private static func goldenStorage() throws -> MemoryLogStorage {
        let storage = MemoryLogStorage()
        for name in try FileManager.default.contentsOfDirectory(atPath: directory.path) {
            let bytes = [UInt8](try Data(contentsOf: directory.appending(path: name)))
            storage.edit(name) { $0 = bytes }
        }
        return storage
    }
}

extension EventPayload {
    /// True when a text of the record moved to a field that is sealed: its bytes differ, its meaning does not.
    fileprivate var isSealedElsewhereNow: Bool {
        switch self {
        case .runCreated(let created): created.invokeURL != nil
        case .actionBlocked(let blocked): blocked.call == nil && blocked.capability != nil
        case .accessRequested(let requested): !requested.isForOneCall && requested.capability != nil
        default: false
        }
    }
}
