import Domain
import EventLog
import EventStore
import Foundation
import Logging

/// The events of `schemas/golden/v1`: every type of schema version 1.
enum GoldenEvents {
    private static let directory = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../schemas/golden/v1").standardized

    /// A line of JSON an event.
    static let rendering = directory.appending(path: "events.jsonl")

    static func read() async throws -> [RecordedEvent] {
        let storage = MemoryLogStorage()
        let log = directory.appending(path: "log")
        for name in try FileManager.default.contentsOfDirectory(atPath: log.path) {
            let bytes = [UInt8](try Data(contentsOf: log.appending(path: name)))
            storage.edit(name) { $0 = bytes }
        }
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let store = await EventStore(backend: FileLogBackend(try EventLog.open(storage, logger: logger).0))
        var events: [RecordedEvent] = []
        while true {
            let page = try await store.read(from: Position(UInt64(events.count + 1)), limit: 1000)
            if page.isEmpty { return events }
            events += page
        }
    }
}
