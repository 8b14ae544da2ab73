import EventStore
import Logging

/// Logs when the disk does not confirm a write of the log in time, and when it does again.
struct StallWatch: Sendable {
    private static let interval = Duration.seconds(1)

    let store: EventStore
    /// The time from which a write is stalled.
    let timeout: Duration
    let logger: Logger

    /// Runs until its task is cancelled.
    func run() async throws {
        var isStalled = false
        while true {
            try await Task.sleep(for: min(Self.interval, timeout))
            let duration = store.appendDuration ?? .zero
            if duration > timeout, !isStalled {
                logger.error("log write stalled", metadata: ["seconds": "\(duration.components.seconds)"])
            } else if duration <= timeout, isStalled {
                logger.notice("log write no longer stalled")
            }
            isStalled = duration > timeout
        }
    }
}
