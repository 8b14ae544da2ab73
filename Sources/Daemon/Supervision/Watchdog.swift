import CommandHandling
import NIOCore
import NIOPosix

/// Pings the service manager for as long as the event loops and the writer answer.
struct Watchdog: Sendable {
    let manager: ServiceManager
    let commands: CommandHandler

    /// Runs until its task is cancelled; at once over when there is no watchdog.
    func run() async throws {
        guard let timeout = manager.watchdogTimeout else { return }
        while !Task.isCancelled {
            for loop in MultiThreadedEventLoopGroup.singleton.makeIterator() { try await loop.submit {}.get() }
            // It answers once all that it has decided is durable. A writer that refuses commands answers too.
            _ = try? await commands.snapshot()
            manager.notify("WATCHDOG=1")
            try await Task.sleep(for: timeout / 2)
        }
    }
}
