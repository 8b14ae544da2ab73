import Logging
import UnixSignals

/// Gives an effect to the signals that do not end the daemon.
struct SignalService: Sendable {
    let logger: Logger
    /// Reads the settings again.
    let reload: @Sendable () async -> Void

    /// Runs until its task is cancelled.
    func run() async {
        for await signal in await UnixSignalsSequence(trapping: .sighup, .sigusr1, .sigusr2) {
            guard signal == .sighup else {
                logger.notice("signal without effect", metadata: ["signal": "\(signal)"])
                continue
            }
            await reload()
        }
    }
}
