import HTTPAPI
import Logging

/// Logs the phase and its progress at intervals, until the start has ended.
struct StartReporter: Sendable {
    private static let interval = Duration.seconds(5)

    let progress: StartProgress
    let logger: Logger

    /// Runs until its task is cancelled.
    func run() async throws {
        while !progress.isReady {
            try await Task.sleep(for: Self.interval)
            let (phase, measure) = progress.current
            guard phase != .ready, !progress.isInterrupted else { continue }
            logger.info(
                "starting",
                metadata: ["phase": "\(phase.rawValue)", "done": "\(measure.done)", "of": "\(measure.total)"])
        }
    }
}
