import Logging
import Metrics
import ServiceLifecycle

/// Gives memory that the C library keeps for later back to the system, at an interval. (docs/decisions/0081)
struct MemoryTrimmer: Sendable {
    /// The time between two looks; `nil` disables them.
    let interval: Duration?
    let logger: Logger
    private let returnedCounter = Counter(label: "sluice_memory_returned_bytes_total")
    private let trimTimer = Timer(label: "sluice_memory_trim_seconds")

    init(interval: Duration?, logger: Logger) {
        self.interval = interval
        self.logger = logger
    }

    /// Looks at once, as a start leaves much free, and then at each interval, until the task is cancelled.
    func run() async throws {
        guard let interval else { return try await gracefulShutdown() }
        var rule = TrimRule()
        while true {
            rule = await BlockingWork.run { [rule] in trimmed(rule) }
            try await Task.sleep(for: interval)
        }
    }

    private func trimmed(_ rule: TrimRule) -> TrimRule {
        var rule = rule
        guard let before = Heap.usage, rule.isDue(before) else { return rule }
        let start = ContinuousClock.now
        Heap.trim()
        let duration = start.duration(to: .now)
        guard let after = Heap.usage else { return rule }
        rule.noteTrim(after)
        // Other threads go on meanwhile, and may take more than was given back.
        let returned = before.residentBytes - min(before.residentBytes, after.residentBytes)
        returnedCounter.increment(by: returned)
        trimTimer.record(duration: duration)
        logger.debug("free memory returned", metadata: ["bytes": "\(returned)", "duration": "\(duration)"])
        return rule
    }
}
