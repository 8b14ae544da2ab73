package import EventLog
import Synchronization

/// The backend of one machine: a directory of segments.
package final class FileLogBackend: LogBackend {
    private let log: EventLog
    private let isClosed = Atomic(false)

    package init(_ log: EventLog) { self.log = log }

    package var durablePosition: UInt64 { log.durablePosition }

    package func append(_ records: [[UInt8]]) async throws(LogBackendError) -> UInt64 {
        guard !isClosed.load(ordering: .acquiring) else { throw .closed }
        do {
            return try await log.append(records)
        } catch {
            throw LogBackendError(error)
        }
    }

    package func read(from position: UInt64, bytesMax: Int) async throws(LogBackendError) -> [LogRecord] {
        do {
            return try await log.read(from: max(position, 1), through: log.durablePosition, bytesMax: bytesMax)
        } catch {
            throw LogBackendError(error)
        }
    }

    package func editions() async throws(LogBackendError) -> UInt64 {
        do {
            return try await log.editions()
        } catch {
            throw LogBackendError(error)
        }
    }

    package func close() async throws(LogBackendError) {
        guard !isClosed.exchange(true, ordering: .acquiringAndReleasing) else { return }
        do {
            try await log.close()
        } catch {
            throw LogBackendError(error)
        }
    }
}

extension LogBackendError {
    fileprivate init(_ error: LogError) {
        switch error {
        case .noSpace: self = .noSpace(error.description)
        case .noDescriptors: self = .noDescriptors(error.description)
        case .poisoned: self = .stopped(error.description)
        case .damaged, .foreign, .storage: self = .damaged(error.description)
        case .tooLarge: self = .tooLarge(error.description)
        }
    }
}
