import CommandHandling
import Domain
import EventLog
import EventStore
import HTTPAPI
import Logging
import Projections
import Secrets
import Synchronization

/// The rooms that hold the data, opened in order: the log, the keys, the writer, the read models.
struct OpenedRooms: Sendable {
    let log: EventLog
    let frontier: MerkleFrontier
    let store: EventStore
    let vault: SecretVault
    let commands: CommandHandler
    let readModels: ReadModels
    let clock: SteadyClock
    /// Keys that are lost; `nil` when there are all.
    let lost: LostKeys?

    /// Closes the log, then the read models, so that the next start can trust them.
    func close(_ logger: Logger) async {
        do {
            try await store.close()
        } catch {
            // Everything acknowledged is durable all the same; the next start only looks more closely at the log's end.
            logger.warning("the log could not be marked as closed in order", metadata: ["error": "\(error)"])
        }
        readModels.close(logger)
        logger.info("stopped", metadata: ["position": "\(store.durablePosition)"])
    }
}

extension Daemon {
    /// Opens the rooms, and shows the phases; throws `CancellationError` when the start is interrupted.
    func openRooms(_ directory: DataDirectory, _ progress: StartProgress) async throws -> OpenedRooms {
        let (log, recovered) = try await recoverLog(directory, progress)
        try Task.checkCancellation()
        progress.begin(.openingKeys)
        let vault = try await configuration.secrets.openVault(
            directory, isFirstStart: log.durablePosition == 0, acceptsLoss: configuration.acceptsKeyLoss, logger)
        let closed = ClosedSeals()
        let store = await EventStore(
            backend: FileLogBackend(log), cipher: PersonKeys(vault: vault, closed: closed),
            snapshots: openSnapshots(directory))
        let mark = ClockMark(directory).read()
        let clock = SteadyClock(
            stepMin: configuration.clockStepMin, continuing: mark.machineStart, confirmedEvent: mark.confirmedEvent)
        let (commands, lost) = try await openWriter(store, vault, closed, clock, progress)
        if let lost { try giveUp(lost, directory) }
        try Task.checkCancellation()
        progress.begin(.openingReadModels)
        let readModels = try await BlockingWork.run { [logger] () throws(DaemonError) in
            try ReadModels.open(directory, store, logger)
        }
        let projections = readModels.projections
        progress.begin(.catchingUp) {
            .init(done: projections.position.value, total: store.durablePosition.value)
        }
        return OpenedRooms(
            log: log, frontier: recovered.frontier, store: store, vault: vault, commands: commands,
            readModels: readModels, clock: clock, lost: lost)
    }

    private func recoverLog(
        _ directory: DataDirectory, _ progress: StartProgress
    ) async throws(DaemonError) -> (EventLog, LogRecovery.Report) {
        let measure = MeasureBox()
        progress.begin(.recoveringLog) { measure.value }
        return try await BlockingWork.run { [configuration, logger] () throws(DaemonError) in
            try Self.openLog(directory, configuration.log, logger) { measure.set($0, of: $1) }
        }
    }

    /// The place of snapshots; `nil` when that directory cannot be used: they only save time.
    private func openSnapshots(_ directory: DataDirectory) -> SnapshotKeeper? {
        do {
            return SnapshotKeeper(try PosixLogStorage(directory: directory.snapshots))
        } catch {
            logger.warning("no snapshots are kept; the next start takes longer", metadata: ["error": "\(error)"])
            return nil
        }
    }

    /// Folds the log, and holds the keys that it needs against those that are there.
    ///
    /// - Returns: the writer, and the keys that are lost, if there are any.
    private func openWriter(
        _ store: EventStore, _ vault: SecretVault, _ closed: ClosedSeals, _ clock: SteadyClock,
        _ progress: StartProgress
    ) async throws -> (CommandHandler, LostKeys?) {
        var required = RequiredKeys(vault.presentKeys)
        let measure = MeasureBox()
        progress.begin(.foldingLog) { measure.value }
        let last = store.durablePosition.value
        let commands: CommandHandler
        do {
            commands = try await CommandHandler.open(
                store: store, settings: configuration.decisions, clock: clock, logger: logger,
                keyring: { vault.keyringMark }
            ) { recorded in
                measure.set(recorded.position.value, of: last)
                required.evolve(recorded.event, closedFor: closed.take(recorded.event.id))
            }
        } catch {
            try Task.checkCancellation()
            guard case .stopped(let reason) = error else { throw DaemonError(.logUnusable, "\(error)") }
            throw DaemonError(.logUnusable, reason)
        }
        closed.end()
        let limits = configuration.decisions.limits
        let rule = ShareRule(total: limits.peopleMax, percent: limits.sharePercent)
        commands.admitPeople { vault.refusal(of: $0, by: $1, rule) }
        clock.advance(to: commands.newestTime)
        let lost = required.lost(try await commands.snapshot().state)
        // A keyring that was put back from a backup may have keys again that were destroyed since.
        try await vault.destroy(required.erased)
        return (commands, lost.isEmpty ? nil : lost)
    }

    /// Continues without lost keys when that is accepted; read models that were made with them are made again.
    ///
    /// A log that was restored to an earlier point needs keys that were destroyed on purpose since.
    ///
    /// - Throws: `DaemonError.secretsUnusable` when it is not.
    private func giveUp(_ lost: LostKeys, _ directory: DataDirectory) throws(DaemonError) {
        guard configuration.acceptsKeyLoss || directory.isAtEarlierPoint else { throw lost.refusal(directory) }
        do throws(ProjectionError) {
            try Projections.delete(path: directory.readModel)
        } catch {
            throw DaemonError(error)
        }
    }
}

/// The measure of a phase, written by its loop.
private final class MeasureBox: Sendable {
    private let done = Atomic<UInt64>(0)
    private let total = Atomic<UInt64>(1)

    var value: StartProgress.Measure {
        .init(done: done.load(ordering: .relaxed), total: total.load(ordering: .relaxed))
    }

    func set(_ done: UInt64, of total: UInt64) {
        self.done.store(done, ordering: .relaxed)
        self.total.store(total, ordering: .relaxed)
    }
}
