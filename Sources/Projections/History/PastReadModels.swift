package import Domain
package import EventStore
import Foundation
package import Logging
import Synchronization

/// The read models as they were at positions of the past, each made by folding the log up to there.
///
/// Each is made over the nearest base before it, or over one that was used of late: its own file has what changed since
/// and nothing else. Bases are made in the background and outlive a restart. One thing is made at a time.
package final class PastReadModels: Sendable {
    let store: EventStore
    private let live: Projections
    private let directory: String
    private let configuration: PastReadModelsConfiguration
    private let clock: any Clock<Duration>
    private let logger: Logger
    private let shelf: Mutex<PastShelf>
    private let chain: BaseChain
    private let maker: BaseMaker
    /// Has one thing made at a time.
    private let turns = Turns()
    /// True once the bases of the last process were taken in.
    private let isLoaded = Atomic(false)
    private let orders: AsyncStream<Void>
    private let wake: AsyncStream<Void>.Continuation
    private let files = Atomic<UInt64>(0)

    /// - Parameters:
    ///   - live: the read models that follow the log; nothing is shown that they do not show.
    ///   - directory: keeps bases; everything else in it is removed. Made when it is needed.
    package init(
        store: EventStore, live: Projections, directory: String,
        configuration: PastReadModelsConfiguration = PastReadModelsConfiguration(),
        clock: any Clock<Duration> = ContinuousClock(), logger: Logger
    ) {
        self.store = store
        self.live = live
        self.directory = Self.prepared(directory, logger)
        self.configuration = configuration
        self.clock = clock
        self.logger = logger
        shelf = Mutex(PastShelf(configuration))
        (orders, wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        chain = BaseChain(directory: self.directory, logger: logger)
        let rule = BaseRule(
            interval: configuration.interval, recent: configuration.recent, bytesMax: configuration.basesBytesMax,
            countMax: configuration.basesMax)
        maker = BaseMaker(store, live: live, chain, rule, logger: logger)
    }

    /// The newest position that can be asked for.
    package var newest: Position { live.position }

    /// Maximum read models that are kept, those in use included.
    package var modelsMax: Int { configuration.modelsMax }

    /// The positions that are kept, oldest first.
    package var kept: [Position] { shelf.withLock { $0.positions } }

    /// The positions of the bases, oldest first.
    package var bases: [Position] { chain.positions }

    /// The read models at that position, which is not beyond `newest`. They stay as long as the caller holds them.
    ///
    /// - Throws: `.historyTooLarge` at once when they would take too much; `.historyBusy` when they are not made in
    ///   time, or too many are asked for; what else may go wrong with files and the log.
    package func readModels(at position: Position) async throws(ProjectionError) -> Projections {
        precondition(position <= newest, "the caller has checked that there is such a position")
        try await load()
        try dropDamaged()
        let (outcomes, waiter) = AsyncStream<PastShelf.Outcome>.makeStream()
        if let ready = shelf.withLock({ $0.ready(position) }) { return ready }
        try await checkSize(of: position)
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
                // In time or cancelled with its caller: there is nothing to hand out then.
                try? await clock.sleep(for: configuration.waitMax)
                return nil
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
        guard let outcome else { throw Self.busy("the answers of position \(position) are being made from the log") }
        return try outcome.get()
    }

    /// Makes what is asked for, one after another, and bases meanwhile, until the task is cancelled.
    package func run() async {
        await withTaskGroup { group in
            group.addTask { await self.makeOrders() }
            group.addTask { await self.makeBases() }
            await group.waitForAll()
        }
        for waiter in shelf.withLock({ $0.close() }) {
            waiter.yield(.failure(ProjectionError(.stopped, "sluice is shutting down")))
        }
    }

    /// Removes everything that was made so far, bases too, and returns once no caller holds any of it. What is asked for
    /// is made again.
    package func forget() async throws {
        try chain.clear()
        shelf.withLock { $0.forget() }
        await turns.begin()
        do {
            defer { turns.end() }
            try await maker.discard()
            // What was being made meanwhile may have left files that no one knows of.
            try chain.clear(except: shelf.withLock { $0.paths })
        }
        while true {
            let (taken, isAll) = shelf.withLock { $0.takeForgotten() }
            discard(taken)
            if isAll { return try chain.sync() }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    private func makeOrders() async {
        for await _ in orders {
            while let position = shelf.withLock({ $0.nextOrder }), !Task.isCancelled {
                await turns.begin()
                await make(position)
                turns.end()
            }
        }
    }

    private func makeBases() async {
        while !Task.isCancelled {
            let begin = ContinuousClock.now
            var (isMore, pause) = (false, configuration.pause)
            do {
                isMore = try await makeBase()
            } catch {
                guard !Task.isCancelled else { break }
                logger.error("base of past read models not made", metadata: ["error": "\(error)"])
                pause = configuration.pauseAfterFailure
            }
            // No client waits for it: it takes half of one processor at most.
            try? await clock.sleep(for: isMore ? begin.duration(to: .now) : pause)
        }
        try? await maker.discard()
    }

    /// Makes a part of a base.
    ///
    /// - Returns: whether there is more to do now.
    private func makeBase() async throws -> Bool {
        try await load()
        await turns.begin()
        defer { turns.end() }
        return try await maker.step()
    }

    /// Takes in the bases of the last process, before anything is made or refused.
    private func load() async throws(ProjectionError) {
        guard !isLoaded.load(ordering: .acquiring) else { return }
        await turns.begin()
        defer { turns.end() }
        guard !isLoaded.load(ordering: .acquiring) else { return }
        do {
            try await maker.load()
        } catch {
            throw .wrapping(error)
        }
        isLoaded.store(true, ordering: .releasing)
    }

    /// Has nothing more be made from bases that turned out to be damaged, nor from what was made over them.
    private func dropDamaged() throws(ProjectionError) {
        try chain.dropDamaged()
        shelf.withLock { $0.dropDamaged() }
    }

    /// Refuses what would take more than it may before anything is made, by the size that the read models have now.
    private func checkSize(of position: Position) async throws(ProjectionError) {
        let base = max(chain.position(for: position), shelf.withLock { $0.nearest(to: position) } ?? .zero)
        let whole = Double(try await live.pageCount() * PastPages.pageBytes)
        let events = Double(position.value - base.value)
        let share = newest > .zero ? events / Double(newest.value) : 0
        // Over a base, an event changes pages that others have changed before it.
        let estimate = min(whole, whole * share * (base > .zero ? 2 : 1))
        guard estimate > Double(modelBytesMax) else { return }
        throw tooLarge("about \(Int(estimate)) bytes, for \(Int(events)) events since position \(base)")
    }

    /// The bytes that one of the read models may take beside the bases.
    private var modelBytesMax: Int { max(configuration.bytesMax - chain.sizeBytes, configuration.bytesMax / 4) }

    private func tooLarge(_ reason: String) -> ProjectionError {
        ProjectionError(
            .historyTooLarge,
            "the answers of that position take \(reason), and \(modelBytesMax) bytes are left of history-bytes-max: "
                + "raise it, ask for a position that is a shorter way after \(chain.top), or use `sluice replay` and "
                + "`sluice diff`, which need no room")
    }

    private func make(_ position: Position) async {
        var (outcome, size) = (PastShelf.Outcome.failure(Self.busy("all that may be kept is in use")), 0)
        discard(shelf.withLock { $0.takeForgotten().taken })
        if let evicted = shelf.withLock({ $0.makePlace() }) {
            discard(evicted)
            do {
                let (projections, sizeBytes) = try await foldOverWhole(to: position)
                (outcome, size) = (.success(projections), sizeBytes)
            } catch {
                outcome = .failure(.wrapping(error))
            }
        }
        let others = configuration.bytesMax - chain.sizeBytes
        guard let (waiters, evicted) = shelf.withLock({ $0.finish(outcome, sizeBytes: size, bytesMax: others) }) else {
            return
        }
        for waiter in waiters { waiter.yield(outcome) }
        discard(evicted)
    }

    /// Folds over other bases as often as one turns out to be damaged.
    private func foldOverWhole(to position: Position) async throws -> (Projections, sizeBytes: Int) {
        while true {
            // A file of its own: one of the same position may be on its way out.
            let path = "\(directory)/\(position)-\(files.add(1, ordering: .relaxed).newValue).sqlite"
            let generation = chain.generation
            var pages: PastPages?
            do {
                let begun = try start(for: position, in: path)
                pages = begun
                return try await fold(to: position, in: path, begun)
            } catch {
                try? Projections.delete(path: path)
                PastFileSystem.remove(path)
                try dropDamaged()
                // Each time at least one more base is known to be damaged and not used again, so that this ends.
                guard chain.generation != generation || pages?.view.isDamaged == true else { throw error }
            }
        }
    }

    private func fold(
        to position: Position, in path: String, _ pages: PastPages
    ) async throws -> (Projections, sizeBytes: Int) {
        let projections = try Projections.openPast(path: path, pages, logger: logger)
        let bytesMax = modelBytesMax
        do {
            try await projections.fold(store, through: position) { () throws(ProjectionError) in
                guard pages.ownBytes > bytesMax else { return }
                throw self.tooLarge("more than \(bytesMax) bytes")
            }
            let sizeBytes = try await projections.settle()
            try await projections.rest()
            return (projections, sizeBytes)
        } catch {
            try? projections.close()
            throw error
        }
    }

    /// The pages that the read models of the position are made over: the nearest base, or a copy of read models over one.
    private func start(for position: Position, in path: String) throws -> PastPages {
        let nearest = shelf.withLock { $0.base(for: position) }
        guard let nearest, nearest.position > chain.position(for: position),
            let pages = PastFileSystem.pages(at: nearest.path)
        else { return PastPages(over: try chain.view(for: position)) }
        try Projections.delete(path: path)
        return try pages.copy(nearest.path, to: path)
    }

    private func discard(_ evicted: [Projections]) {
        for projections in evicted {
            do {
                try projections.close()
                try Projections.delete(path: projections.path)
                PastFileSystem.remove(projections.path)
            } catch {
                logger.warning(
                    "read models of a past position could not be removed", metadata: ["error": "\(error)"])
            }
        }
    }

    private static func busy(_ reason: String) -> ProjectionError {
        ProjectionError(.historyBusy, "\(reason): ask again in a moment")
    }

    /// Makes the directory and removes what is no base.
    ///
    /// - Returns: its path without links, as SQLite names the files in it.
    private static func prepared(_ directory: String, _ logger: Logger) -> String {
        let files = FileManager.default
        do {
            try files.createDirectory(
                atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            for name in try files.contentsOfDirectory(atPath: directory) where !name.hasSuffix(".base") {
                try files.removeItem(atPath: "\(directory)/\(name)")
            }
        } catch {
            // A file that cannot be removed is in the way of its own position alone, which reports it.
            logger.warning("past read models not tidied", metadata: ["error": "\(error)"])
        }
        return URL(fileURLWithPath: directory).resolvingSymlinksInPath().path
    }
}
