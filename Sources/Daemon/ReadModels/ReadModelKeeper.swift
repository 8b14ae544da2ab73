import EventStore
import Logging
import Metrics
import Projections

/// Checks the read models' file when there is a doubt, and makes it again beside the old one when it is damaged.
struct ReadModelKeeper: Sendable {
    private static let pauseMin = Duration.seconds(5)
    private static let pauseMax = Duration.seconds(3600)
    /// Failures in a row of a new file: beyond them it is not the file that is to blame.
    private static let failuresMax = 3

    let projections: Projections
    let store: EventStore
    let history: PastReadModels
    /// The reason to check the file; `nil` when it can be trusted.
    let doubt: String?
    let logger: Logger
    private let damageCounter = Counter(label: "sluice_read_model_damages_total")
    private let rebuildCounter = Counter(label: "sluice_read_model_rebuilds_total")

    init(_ readModels: ReadModels, store: EventStore, history: PastReadModels, logger: Logger) {
        projections = readModels.projections
        doubt = readModels.doubt
        self.store = store
        self.history = history
        self.logger = logger
    }

    /// Works until its task is cancelled.
    ///
    /// - Throws: `ProjectionError` when a new file is unreadable too.
    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await replaceDamaged() }
            group.addTask { await check() }
            try await group.waitForAll()
        }
    }

    private func check() async {
        guard let doubt else { return }
        logger.info("checking read models", metadata: ["reason": "\(doubt)"])
        do {
            let problems = try await projections.integrityProblems()
            guard let first = problems.first else { return logger.info("read models verified") }
            projections.reportDamage(first)
        } catch {
            if !Task.isCancelled { logger.error("read models not checked", metadata: ["error": "\(error)"]) }
        }
    }

    private func replaceDamaged() async throws {
        var (pause, failures) = (Self.pauseMin, 0)
        for await damage in projections.damages where projections.isDamaged {
            damageCounter.increment()
            logger.error("read models damaged; making them again", metadata: ["error": "\(damage)"])
            while projections.isDamaged {
                do {
                    try await projections.replaceDamaged(from: store)
                    // They may be made of copies of the damaged ones.
                    try await history.forget()
                    rebuildCounter.increment()
                    failures = 0
                    logger.notice("read models made again", metadata: ["position": "\(projections.position)"])
                } catch is CancellationError {
                    return
                } catch {
                    failures += 1
                    logger.error("read models not made again yet", metadata: ["error": "\(error)"])
                    if failures >= Self.failuresMax, (error as? ProjectionError)?.code == .unreadable { throw error }
                }
                // Damage that returns at once costs a fold of the log each time.
                try await Task.sleep(for: failures > 0 ? Self.pauseMin : pause)
            }
            pause = min(pause * 2, Self.pauseMax)
        }
    }
}
