import EventLog
import EventStore
import Foundation
import Logging

/// A fresh backend of each kind, for the suites that all of them pass.
enum BackendUnderTest: String, CaseIterable, Sendable {
    case memory
    /// The file log on files in memory.
    case log
    /// The file log on a directory, in segments so small that every few batches begin a new one.
    case directory

    /// Makes a backend, and removes what it left on disk afterwards.
    func use(_ body: (any LogBackend) async throws -> Void) async throws {
        switch self {
        case .memory: try await body(InMemoryLogBackend())
        case .log: try await body(FileLogBackend(try openLog(MemoryLogStorage())))
        case .directory:
            let directory = FileManager.default.temporaryDirectory.appending(path: "sluice-\(UUID().uuidString)")
            defer { try? FileManager.default.removeItem(at: directory) }
            let storage = try PosixLogStorage(directory: directory.path)
            try await body(FileLogBackend(try openLog(storage, segmentBytesMax: 16 * 1024)))
        }
    }
}

extension LogBackend {
    /// Why the batch was refused; `nil` when it was kept.
    func refusal(of records: [[UInt8]]) async -> LogBackendError? {
        do {
            _ = try await append(records)
            return nil
        } catch {
            return error
        }
    }
}

extension LogBackendError {
    var isNoSpace: Bool { if case .noSpace = self { true } else { false } }
    var isStopped: Bool { if case .stopped = self { true } else { false } }
    var isTooLarge: Bool { if case .tooLarge = self { true } else { false } }
}

/// Opens the log of a storage as the daemon does.
func openLog(_ storage: any LogStorage, segmentBytesMax: UInt64 = 64 * 1024 * 1024) throws -> EventLog {
    var configuration = EventLog.Configuration()
    configuration.segmentBytesMax = segmentBytesMax
    return try EventLog.open(storage, configuration: configuration, logger: quietLogger).0
}

private let quietLogger: Logger = {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    return logger
}()
