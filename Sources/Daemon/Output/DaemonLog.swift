package import Dispatch
package import Logging
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The daemon's log on standard error, which never blocks, and whose level can be changed.
package final class DaemonLog: Sendable {
    private static let label = "sluice"

    private let queue: OutputQueue
    private let level: Mutex<Logger.Level>

    /// Makes the log; all loggers write to it from then on. Once in a process, after the metrics.
    package init(level: Logger.Level) {
        self.level = Mutex(level)
        queue = OutputQueue(descriptor: STDERR_FILENO) { count in
            Logger(label: Self.label).warning("log lines dropped", metadata: ["count": "\(count)"])
        }
        LoggingSystem.bootstrap { [self] label in
            QueuedLogHandler(
                base: StreamLogHandler(label: label, stream: QueuedStream(queue: queue)),
                sharedLevel: { self.level.withLock { $0 } }, ownLevel: label == Self.label ? nil : .info)
        }
    }

    /// A logger of the daemon.
    package var logger: Logger { Logger(label: Self.label) }

    /// Changes the level of every logger of the daemon.
    package func setLevel(_ level: Logger.Level) { self.level.withLock { $0 = level } }

    /// Writes out the last lines; returns at the deadline, whatever becomes of them.
    package func flush(by deadline: DispatchTime) { queue.flush(by: deadline) }
}

private struct QueuedStream: TextOutputStream, Sendable {
    let queue: OutputQueue

    mutating func write(_ text: String) { queue.write(text) }
}

/// Formats as `StreamLogHandler` does.
private struct QueuedLogHandler: LogHandler {
    var base: StreamLogHandler
    let sharedLevel: @Sendable () -> Logger.Level
    /// The level of this logger alone; `nil` for the daemon's.
    var ownLevel: Logger.Level?

    var logLevel: Logger.Level {
        get { ownLevel ?? sharedLevel() }
        set { ownLevel = newValue }
    }

    var metadata: Logger.Metadata {
        get { base.metadata }
        set { base.metadata = newValue }
    }

    var metadataProvider: Logger.MetadataProvider? {
        get { base.metadataProvider }
        set { base.metadataProvider = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { base[metadataKey: key] }
        set { base[metadataKey: key] = newValue }
    }

    func log(event: LogEvent) { base.log(event: event) }
}
