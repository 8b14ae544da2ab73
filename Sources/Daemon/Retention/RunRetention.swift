import CommandHandling
import Domain
import EventLog
import EventStore
import Logging
import Metrics
import Projections

/// Lets finished runs go: says in the log that their time is up, and then has their records pruned from it.
struct RunRetention: Sendable {
    private static let dueRunsMax = 256
    /// How many expired runs one pass through the log looks for: what of them is in memory is that many ids.
    private static let expiredRunsMax = 50_000
    /// The pause after a failed purge, unless passes are closer together.
    private static let retryPause = Duration.seconds(60)

    let log: EventLog
    let commands: CommandHandler
    let projections: Projections
    let history: PastReadModels
    /// `nil` keeps them for ever; what has expired before is pruned all the same.
    let retention: Duration?
    let logger: Logger
    private let expiredCounter = Counter(label: "sluice_runs_expired_total")
    private let prunedCounter = Counter(label: "sluice_log_pruned_records_total")
    private let freedCounter = Counter(label: "sluice_log_pruned_bytes_total")

    init(
        log: EventLog, commands: CommandHandler, projections: Projections, history: PastReadModels,
        retention: Duration?, logger: Logger
    ) {
        self.log = log
        self.commands = commands
        self.projections = projections
        self.history = history
        self.retention = retention
        self.logger = logger
    }

    /// How long after one look comes the next.
    private var interval: Duration { retention.map { max(.seconds(1), min(.seconds(3600), $0 / 4)) } ?? .seconds(3600) }

    /// How long expired records may wait for others of their segment, so that it is not written anew for each.
    private var waitMax: Duration { retention.map { min(.seconds(24 * 3600), $0) } ?? .seconds(24 * 3600) }

    /// Looks at once, and then every hour, until its task is cancelled. What fails is tried again the next time.
    func run() async throws {
        var progress = PruningProgress(forgotten: try? await log.editions())
        while true {
            var pause = interval
            do {
                var newest = Position.zero
                if let retention {
                    newest = try await expire(finishedBefore: commands.clock.now().adding(.zero - retention))
                }
                if !(await purge(through: newest)) { pause = min(pause, Self.retryPause) }
                try await prune(&progress)
            } catch is CancellationError {
                return
            } catch {
                logger.error("runs whose time is up stay a while longer", metadata: ["error": "\(error)"])
            }
            // After a failure too: some segments may have been rewritten by then.
            if !(await forgetPruned(&progress)) { pause = min(pause, Self.retryPause) }
            try await Task.sleep(for: pause)
        }
    }

    /// Has the expiry recorded of every run that finished before the time, some at once.
    ///
    /// - Returns: the position of the last one.
    private func expire(finishedBefore time: Timestamp) async throws -> Position {
        var (place, count): (Timestamp?, Int) = (nil, 0)
        var newest = Position.zero
        while true {
            let batch = try await projections.runs(finishedBefore: time, after: place, limit: Self.dueRunsMax)
            guard let last = batch.last else { break }
            let begin = ContinuousClock.now
            let positions = try await withThrowingTaskGroup(of: Position?.self) { group in
                for (due, _) in batch { group.addTask { try await expire(due) } }
                return try await group.reduce(into: [Position]()) { found, next in if let next { found.append(next) } }
            }
            count += positions.count
            newest = max(newest, positions.max() ?? .zero)
            place = last.finishedAt
            // Nobody waits for it: it takes half of the writer at most.
            try await Task.sleep(for: begin.duration(to: .now))
        }
        guard count > 0 else { return newest }
        expiredCounter.increment(by: count)
        logger.info("finished runs have expired", metadata: ["runs": "\(count)"])
        return newest
    }

    /// Overwrites the text of runs that have expired, in this pass or in one whose purge failed.
    ///
    /// - Returns: false when that failed. The read models keep that there is something to purge.
    private func purge(through position: Position) async -> Bool {
        do {
            try await projections.reach(position)
            if try await projections.hasDeletedText() { try await projections.purgeDeleted(through: position) }
        } catch {
            guard !Task.isCancelled else { return true }
            logger.error("failed to purge deleted text; retrying", metadata: ["error": "\(error)"])
            return false
        }
        return true
    }

    /// - Returns: the position of its expiry; `nil` for a run of which something is open, which waits for the next time.
    private func expire(_ due: DueRun) async throws -> Position? {
        do {
            return try await commands.execute(
                .expireRun(due.expired), CommandRequest(workspace: due.workspace, actor: .retention)
            ).position
        } catch CommandError.rejected(let rejection) {
            logger.debug("a run is kept a while longer", metadata: ["reason": "\(rejection.message)"])
            return nil
        }
    }

    /// Prunes what has expired, a bounded number of runs at a time.
    private func prune(_ progress: inout PruningProgress) async throws {
        let now = commands.clock.now()
        let newest = Position(await log.newestSegment())
        guard try await progress.isDue(at: now, newest, projections) else { return }
        progress.begin(newest)
        var total = PruningOutcome()
        var place = progress.done
        while true {
            let runs = try await projections.expiredRuns(after: place, limit: Self.expiredRunsMax)
            guard let last = runs.last else { break }
            let outcome = try await prune(runs, now: now)
            total += outcome
            // A run's records are all before its expiry: once that is in a sealed segment, they were all looked at.
            if outcome.expiredRecords == 0 { progress.finish(runs, after: place, before: newest) }
            progress.wait(for: runs, now: now, waitMax)
            if runs.contains(where: { $0.position >= newest && isUrgent($0, now) }) { await log.sealBeforeNextAppend() }
            place = last.position
        }
        progress.end(at: place)
        guard total.segments > 0 else { return }
        prunedCounter.increment(by: Int64(clamping: total.prunedRecords))
        freedCounter.increment(by: Int64(clamping: total.bytesFreed))
        logger.info(
            "records of expired runs were pruned from the log",
            metadata: [
                "records": "\(total.prunedRecords)", "segments": "\(total.segments)",
                "bytes_freed": "\(total.bytesFreed)", "records_waiting": "\(total.expiredRecords)",
            ])
    }

    /// Forgets past read models that were made when records were there that are pruned now.
    ///
    /// - Returns: false when that failed.
    private func forgetPruned(_ progress: inout PruningProgress) async -> Bool {
        do {
            let editions = try await log.editions()
            guard editions != progress.forgotten else { return true }
            try await history.forget()
            progress.forgotten = editions
        } catch {
            guard !Task.isCancelled else { return true }
            logger.error("pruned records may show in the past; retrying", metadata: ["error": "\(error)"])
            return false
        }
        return true
    }

    private func prune(_ runs: [ExpiredRun], now: Timestamp) async throws -> PruningOutcome {
        var (streams, urgent) = (ExpiredStreams(), ExpiredStreams())
        for run in runs {
            streams.insert(run.runID, run.accessRequestIDs)
            if isUrgent(run, now) { urgent.insert(run.runID, run.accessRequestIDs) }
        }
        return try await log.prune(PruningPolicy()) { [streams, urgent] _, record in
            guard let stream = EventCodec.stream(of: record), streams.mayInclude(stream),
                let event = try? EventCodec.decode(record), streams.includes(event)
            else { return .keep }
            return urgent.includes(event) ? .pruneNow : .prune
        }
    }

    private func isUrgent(_ run: ExpiredRun, _ now: Timestamp) -> Bool { run.time.adding(waitMax) <= now }
}

/// What of the pruning is done, so that the log is not read again for nothing.
private struct PruningProgress {
    /// The log's editions when past read models were forgotten last, or at the start, which takes in those of the log as
    /// it is then; `nil` when that is not known.
    var forgotten: UInt64?
    /// Everything that expired up to there is pruned. Not kept: a start looks again.
    private(set) var done = Position.zero
    /// The newest expiry, and the newest segment, of the last pass.
    private var last: (expiry: Position, segment: Position)?
    private var segment = Position.zero
    /// When the next of those that wait for others of their segment has waited long enough.
    private var nextUrgent: Timestamp?

    init(forgotten: UInt64?) { self.forgotten = forgotten }

    /// Whether there is something to prune that was not there the last time.
    func isDue(at now: Timestamp, _ newest: Position, _ projections: Projections) async throws -> Bool {
        if let nextUrgent, nextUrgent <= now { return true }
        guard let last, last.segment == newest else { return true }
        return try await !projections.expiredRuns(after: last.expiry, limit: 1).isEmpty
    }

    mutating func begin(_ newest: Position) {
        segment = newest
        nextUrgent = nil
    }

    /// Takes the runs off, as far as their expiry is in a sealed segment and nothing before them is left.
    mutating func finish(_ runs: [ExpiredRun], after place: Position, before newest: Position) {
        guard done == place, let sealed = runs.last(where: { $0.position < newest }) else { return }
        done = sealed.position
    }

    mutating func wait(for runs: [ExpiredRun], now: Timestamp, _ waitMax: Duration) {
        let waiting = runs.filter { $0.position > done }.map { $0.time.adding(waitMax) }.filter { $0 > now }
        guard let first = waiting.min() else { return }
        nextUrgent = min(nextUrgent ?? first, first)
    }

    mutating func end(at place: Position) { last = (place, segment) }
}
