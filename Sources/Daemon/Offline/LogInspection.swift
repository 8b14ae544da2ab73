package import Domain
package import EventLog
import EventStore
import EventStreaming
package import Logging
import Projections
import Secrets

/// Reads a data directory without the daemon, and beside it while it runs: nothing here writes to the log.
package struct LogInspection: Sendable {
    private let directory: DataDirectory
    private let secrets: SecretsConfiguration

    package init(dataDirectory: String, _ settings: Settings) throws(DaemonError) {
        directory = DataDirectory(dataDirectory)
        secrets = try SecretsConfiguration(settings)
        try directory.checkExists()
    }

    /// Checks every byte of the log, and that every record is an event.
    package func verify(
        progress: (_ done: UInt64, _ total: UInt64) -> Void
    ) throws(DaemonError) -> LogVerifier.Report {
        do {
            return try LogVerifier.verify(
                try PosixLogStorage(directory: directory.log),
                inspect: { position, record in
                    do throws(EventStoreError) {
                        _ = try EventCodec.decode(record, at: position)
                        return nil
                    } catch {
                        return error.description
                    }
                }, progress: progress)
        } catch {
            throw DaemonError(.logUnusable, "\(error)")
        }
    }

    /// Calls `body` with each event that is kept, in order until it answers `false`; stops with an error at
    /// the first damage.
    ///
    /// What is said of people is shown where the directory has its keys and there is a master key.
    ///
    /// - Parameter first: the first position; segments before the one that holds it are not read.
    package func forEachEvent(from first: UInt64 = 1, _ body: (RecordedEvent) throws -> Bool) throws {
        let (storage, personal) = (try storage(), try personal())
        let segments = try LogSegments(storage)
        let begin = segments.firsts.isEmpty ? 1 : segments.firsts[segments.index(holding: first)]
        let problem = try LogVerifier.forEachRecord(in: storage, from: begin) { position, record in
            guard position >= first else { return true }
            let event = try EventCodec.decode(record, at: position, opening: personal)
            return try body(RecordedEvent(position: Position(position), event: event))
        }
        if let problem { throw Self.damaged(problem) }
    }

    func storage() throws -> PosixLogStorage { try PosixLogStorage(directory: directory.log) }

    /// The reader of the personal fields of events.
    func personal() throws -> any PersonalDataReader { try secrets.personalData(of: directory) }

    static func damaged(_ problem: LogVerifier.Problem) -> DaemonError {
        DaemonError(.logUnusable, "the log is damaged: \(problem.description)")
    }

    /// Deletes the read models and makes them anew from the log.
    package func rebuildProjections(
        logger: Logger, progress: (_ done: UInt64, _ total: UInt64) -> Void
    ) async throws -> UInt64 {
        try directory.checkPrivate()
        let lock = try DirectoryLock(directory)
        defer { withExtendedLifetime(lock) {} }
        let (log, _) = try Daemon.openLog(directory, EventLog.Configuration(), logger)
        let vault = try await secrets.openVault(directory, isFirstStart: log.durablePosition == 0, logger)
        let closed = ClosedSeals()
        var required = RequiredKeys(vault.presentKeys)
        let store = await EventStore(backend: FileLogBackend(log), cipher: PersonKeys(vault: vault, closed: closed))
        let count: UInt64
        do {
            let file = ReadModelFile(directory)
            try file.removeMark()
            try Projections.delete(path: directory.readModel)
            let projections = try Projections.open(path: directory.readModel, logger: logger)
            count = try await fill(projections, store, progress) { recorded in
                required.evolve(recorded.event, closedFor: closed.take(recorded.event.id))
            }
            try projections.close()
            // Read models that were made without them would show erased people for good.
            let lost = required.lost()
            if !lost.isEmpty, !directory.isAtEarlierPoint {
                try Projections.delete(path: directory.readModel)
                throw lost.refusal(directory)
            }
            try file.markClosed()
        } catch let error as ProjectionError {
            throw DaemonError(error)
        }
        try await store.close()
        return count
    }

    private func fill(
        _ projections: Projections, _ store: EventStore, _ progress: (_ done: UInt64, _ total: UInt64) -> Void,
        _ observe: (RecordedEvent) -> Void
    ) async throws -> UInt64 {
        var position = Position.zero
        while position < store.durablePosition {
            let page = try await store.read(from: position.next, limit: EventStore.pageEventsMax)
            guard let last = page.last else { break }
            try await projections.apply(page)
            for recorded in page { observe(recorded) }
            position = last.position
            progress(position.value, store.durablePosition.value)
        }
        return position.value
    }
}
