import HTTPAPI
import Logging

/// Reports the phase and its progress until the start has ended: to the log at intervals, to the service manager always.
struct StartReporter: Sendable {
    private static let interval = Duration.seconds(1)
    /// Seconds between two lines of the log.
    private static let linePeriod = 5
    /// A start that makes no progress for longer is a failed one, once its own timeout is over.
    private static let extensionMicroseconds = 120_000_000

    let progress: StartProgress
    let manager: ServiceManager?
    let logger: Logger

    /// Runs until its task is cancelled.
    func run() async throws {
        var last: (phase: StartProgress.Phase, measure: StartProgress.Measure)?
        var seconds = 0
        while !progress.isReady {
            let (phase, measure) = progress.current
            guard phase != .ready, !progress.isInterrupted else { return }
            if last?.phase != phase || last?.measure != measure {
                manager?.notify(
                    "STATUS=\(phase.rawValue): \(measure.done) of \(measure.total)",
                    "EXTEND_TIMEOUT_USEC=\(Self.extensionMicroseconds)")
            }
            last = (phase, measure)
            try await Task.sleep(for: Self.interval)
            seconds += 1
            if seconds.isMultiple(of: Self.linePeriod) { log(progress.current) }
        }
    }

    private func log(_ current: (phase: StartProgress.Phase, measure: StartProgress.Measure)) {
        guard current.phase != .ready else { return }
        logger.info(
            "starting",
            metadata: [
                "phase": "\(current.phase.rawValue)", "done": "\(current.measure.done)",
                "of": "\(current.measure.total)",
            ])
    }
}
