package import EventLog

/// The backend of one machine: a directory of segments.
package struct FileLogBackend: LogBackend {
    private let log: EventLog

    package init(_ log: EventLog) { self.log = log }

    package var durablePosition: UInt64 {
        log.durablePosition
    }

    package func append(_ records: [[UInt8]]) async throws(LogBackendError) -> UInt64 {
        do {
            return try await log.append(records)
        } catch {
            throw LogBackendError(error)
        }
    }

    package func read(from position: UInt64, bytesMax: Int) async throws(LogBackendError) -> [[UInt8]] {
        do {
            return try await log.read(from: position, through: log.durablePosition, bytesMax: bytesMax)
        } catch {
            throw LogBackendError(error)
        }
    }

    package func close() async throws(LogBackendError) {
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
        case .poisoned: self = .stopped(error.description)
        case .damaged, .foreign, .storage: self = .damaged(error.description)
        case .tooLarge: self = .tooLarge(error.description)
        }
    }
}
