import EventLog
import Logging

/// Opens the log of a storage, quietly.
func openLog(
    _ storage: any LogStorage, segmentBytesMax: UInt64 = 64 * 1024 * 1024, signed: UInt64 = 0
) throws(LogError) -> (log: EventLog, report: LogRecovery.Report) {
    var configuration = EventLog.Configuration()
    configuration.segmentBytesMax = segmentBytesMax
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    return try EventLog.open(storage, configuration: configuration, signed: signed, logger: logger)
}

extension EventLog {
    /// Every durable record, read in small pages.
    func records() async throws -> [[UInt8]] {
        var found: [[UInt8]] = []
        while UInt64(found.count) < durablePosition {
            let page = try await read(from: UInt64(found.count + 1), through: durablePosition, bytesMax: 100)
            // As many as the page has: a test in which one is pruned looks for itself.
            found += page.map { $0.bytes ?? $0.leafHash }
        }
        return found
    }
}

/// What was appended to a log, batch by batch.
struct WrittenLog {
    let storage = MemoryLogStorage()
    private(set) var batches: [[[UInt8]]] = []

    var records: [[UInt8]] { batches.flatMap { $0 } }

    /// Writes batches of one to three records, in segments of about five batches each.
    init(batches count: Int, segmentBytesMax: UInt64 = 4096 + 500) async throws {
        let log = try openLog(storage, segmentBytesMax: segmentBytesMax).log
        for batch in 0..<count {
            let records = (0...batch % 3).map { Array("batch \(batch), record \($0)".utf8) }
            _ = try await log.append(records)
            batches.append(records)
        }
    }

    var segments: [String] { get throws { try storage.names().filter { $0.hasSuffix(".seg") }.sorted() } }

    /// The same bytes in a storage of their own, with one file changed.
    func copy(changing name: String? = nil, _ change: (inout [UInt8]) -> Void = { _ in }) throws -> MemoryLogStorage {
        let copy = storage.afterCrash()
        if let name { copy.edit(name, change) }
        return copy
    }
}
