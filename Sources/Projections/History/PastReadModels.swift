package import Domain
package import EventStore
import Foundation
package import Logging
import Synchronization

/// The read models as they were at positions of the past, each made by folding the log up to there.
///
/// A few are kept, each a file in a directory that is emptied at every start: one that was used of late, or is a short
/// way before the wanted one, saves most of the work. One is made at a time.
package final class PastReadModels: Sendable {
    let store: EventStore
    private let live: Projections
    private let directory: String
    private let configuration: PastReadModelsConfiguration
    private let clock: any Clock<Duration>
    private let logger: Logger
    private let shelf: Mutex<PastShelf>
    private let orders: AsyncStream<Void>
    private let wake: AsyncStream<Void>.Continuation
    private let files = Atomic<UInt64>(0)

    /// - Parameters:
    ///   - live: the read models that follow the log; nothing is shown that they do not show.
    ///   - directory: is emptied, and made when somebody asks.
    package init(
        store: EventStore, live: Projections, directory: String,
        configuration: PastReadModelsConfiguration = PastReadModelsConfiguration(),
        clock: any Clock<Duration> = ContinuousClock(), logger: Logger
    ) {
        self.store = store
        self.live = live
        self.directory = directory
        self.configuration = configuration
        self.clock = clock
        self.logger = logger
        shelf = Mutex(PastShelf(configuration))
        (orders, wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        // What cannot be removed is in the way of its own position alone, and is said there.
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// The newest position that can be asked for.
    package var newest: Position { live.position }

    /// Maximum read models that are kept, those in use included.
    package var modelsMax: Int { configuration.modelsMax }

    /// The positions that are kept, oldest first.
    package var kept: [Position] { shelf.withLock { $0.positions } }

    /// The read models at that position, which is not beyond `newest`. Whoever holds them keeps them.
    ///
    /// - Throws: `.historyBusy` when they are not made in time, or too many are asked for; `.historyTooLarge`; what
    ///   else may go wrong with files and the log.
    package func readModels(at position: Position) async throws(ProjectionError) -> Projections {
        precondition(position <= newest, "the caller has checked that there is such a position")
        let (outcomes, waiter) = AsyncStream<PastShelf.Outcome>.makeStream()
        switch shelf.withLock({ $0.ask(position, waiter) }) {
        case .ready(let projections): return projections
        case .refused: throw Self.busy("too many answers about the past are being made")
        case .ordered: wake.yield()
        }
        let outcome = await withTaskGroup(of: PastShelf.Outcome?.self) { group in
            group.addTask {
                for await outcome in outcomes { return outcome }
                return nil
            }
            group.addTask { [clock, configuration] in
                // Whether it ends in time or is cancelled with its caller: there is nothing to hand out then.
                try? await clock.sleep(for: configuration.waitMax)
                return nil
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
        guard let outcome else { throw Self.busy("the answers of position \(position) are being made from the log") }
        return try outcome.get()
    }

    /// Makes what is asked for, one after another, until the task is cancelled.
    package func run() async {
        for await _ in orders {
            while let position = shelf.withLock({ $0.nextOrder }), !Task.isCancelled { await make(position) }
        }
        for waiter in shelf.withLock({ $0.close() }) {
            waiter.yield(.failure(ProjectionError(.stopped, "sluice is shutting down")))
        }
    }

    /// Removes everything that was made so far, and returns when nobody holds any of it. What is asked for goes on.
    package func forget() async throws {
        shelf.withLock { $0.forget() }
        while true {
            let (taken, isAll) = shelf.withLock { $0.takeForgotten() }
            discard(taken)
            if isAll { return }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    private func make(_ position: Position) async {
        // Of its own: one of the same position may be on its way out.
        let path = "\(directory)/\(position)-\(files.add(1, ordering: .relaxed).newValue).sqlite"
        var (outcome, size) = (PastShelf.Outcome.failure(Self.busy("all that may be kept is in use")), 0)
        if let evicted = shelf.withLock({ $0.makePlace() }) {
            discard(evicted)
            do {
                let projections = try await fold(to: position, in: path)
                (outcome, size) = (.success(projections), try await projections.settle())
            } catch {
                outcome = .failure(explained(.wrapping(error), path))
                try? Projections.delete(path: path)
            }
        }
        guard let (waiters, evicted) = shelf.withLock({ $0.finish(outcome, sizeBytes: size) }) else { return }
        for waiter in waiters { waiter.yield(outcome) }
        discard(evicted)
    }

    private func fold(to position: Position, in path: String) async throws -> Projections {
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        var base = shelf.withLock { $0.base(for: position) }
        // Copying what is live spares the fold when nothing has happened since.
        if base?.position != position, live.settledPosition == position { base = live }
        let projections = try await open(path, from: base)
        if projections.position <= position {
            try await projections.fold(store, through: position)
            return projections
        }
        // Something has happened while it was copied.
        try projections.close()
        let behind = try await open(path, from: shelf.withLock { $0.base(for: position) })
        try await behind.fold(store, through: position)
        return behind
    }

    private func open(_ path: String, from base: Projections?) async throws -> Projections {
        try Projections.delete(path: path)
        try await base?.copy(to: path)
        return try Projections.open(
            path: path, sizeMaxBytes: configuration.bytesMax, isDisposable: true, logger: logger)
    }

    private func discard(_ evicted: [Projections]) {
        for projections in evicted {
            do {
                try projections.close()
                try Projections.delete(path: projections.path)
            } catch {
                logger.warning(
                    "read models of a past position could not be removed", metadata: ["error": "\(error)"])
            }
        }
    }

    private static func busy(_ reason: String) -> ProjectionError {
        ProjectionError(.historyBusy, "\(reason): ask again in a moment")
    }

    /// A file that has come to its bound looks like a full disk.
    private func explained(_ error: ProjectionError, _ path: String) -> ProjectionError {
        let sizes = ["", "-wal"].map { suffix in
            (try? FileManager.default.attributesOfItem(atPath: path + suffix)[.size] as? Int) ?? 0
        }
        guard error.code == .noSpace, sizes.reduce(0, +) >= configuration.bytesMax / 2 else { return error }
        return ProjectionError(
            .historyTooLarge,
            "the answers of that position take more than \(configuration.bytesMax) bytes: raise history-bytes-max"
        )
    }
}
