import CommandHandling
import Domain
import HTTPAPI
import Logging
import Metrics
import Secrets

/// Reports steps of the wall clock, has them confirmed, and keeps the clock's mark.
struct ClockWatch: Sendable {
    private static let interval = Duration.seconds(1)
    /// Looks between two log lines of an unconfirmed step.
    private static let reminderTicks = 600
    /// A mark that is less wrong than this need not be written again.
    private static let driftMax = Duration.seconds(1)

    let clock: SteadyClock
    let commands: CommandHandler
    let mark: ClockMark
    let logger: Logger
    private let stepGauge = Gauge(label: "sluice_clock_step_seconds")

    init(clock: SteadyClock, commands: CommandHandler, mark: ClockMark, logger: Logger) {
        self.clock = clock
        self.commands = commands
        self.mark = mark
        self.logger = logger
    }

    /// The clock operations of the API.
    var control: ClockControl {
        ClockControl(state: { clock.state }, newestEvent: { commands.newestTime }) { step, actor in
            clock.followWallClock()
            logger.notice("wall clock step confirmed", metadata: ["step": "\(step)", "actor": "\(actor)"])
            save()
        }
    }

    /// Looks every second until its task is cancelled.
    func run() async throws {
        var (last, ticks, saved): (Duration?, Int, Timestamp?) = (nil, 0, nil)
        while true {
            let state = clock.state
            stepGauge.record(Self.seconds(state.step))
            ticks = state.step == nil ? 0 : ticks + 1
            if (state.step == nil) != (last == nil) || ticks % Self.reminderTicks == Self.reminderTicks - 1 {
                report(state)
            }
            last = state.step
            let start = clock.machineStart
            let drift = saved.map { $0 < start ? start.since($0) : $0.since(start) }
            if drift.map({ $0 > Self.driftMax }) ?? true, save() { saved = start }
            try await Task.sleep(for: Self.interval)
        }
    }

    private func report(_ state: ClockState) {
        guard let step = state.step else { return logger.notice("events follow the wall clock again") }
        logger.error(
            "wall clock stepped; events do not follow it",
            metadata: [
                "step": "\(step)", "wall_time": "\(state.wallTime)", "event_time": "\(state.time)",
                "hint": "set the clock right, or confirm it with `sluice clock confirm`",
            ])
    }

    @discardableResult private func save() -> Bool {
        do throws(SecretsError) {
            try mark.save(clock.machineStart)
            return true
        } catch {
            logger.warning("clock mark not written", metadata: ["error": "\(error)"])
            return false
        }
    }

    private static func seconds(_ duration: Duration?) -> Double {
        guard let (seconds, attoseconds) = duration?.components else { return 0 }
        return Double(seconds) + Double(attoseconds) / 1e18
    }
}
