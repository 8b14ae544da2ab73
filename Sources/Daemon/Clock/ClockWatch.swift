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
    private let behindGauge = Gauge(label: "sluice_clock_behind_events_seconds")

    init(clock: SteadyClock, commands: CommandHandler, mark: ClockMark, logger: Logger) {
        self.clock = clock
        self.commands = commands
        self.mark = mark
        self.logger = logger
    }

    /// The clock operations of the API.
    var control: ClockControl {
        ClockControl(state: { state }) { step, actor in
            clock.followWallClock(newestEvent: commands.newestTime)
            logger.notice("wall clock step confirmed", metadata: ["step": "\(step)", "actor": "\(actor)"])
            save()
        }
    }

    private var state: ClockState { clock.state(newestEvent: commands.newestTime) }

    /// Looks every second until its task is cancelled.
    func run() async throws {
        var (last, ticks, saved): (Condition, Int, Timestamp?) = (.following, 0, nil)
        while true {
            let state = state
            let condition = Condition(state)
            stepGauge.record(Self.seconds(state.step))
            behindGauge.record(max(0, Self.seconds(state.newestEvent.since(state.wallTime))))
            ticks = condition == last && condition != .following ? ticks + 1 : 0
            if condition != last || ticks % Self.reminderTicks == Self.reminderTicks - 1 { report(condition, state) }
            last = condition
            let start = clock.machineStart
            let drift = saved.map { $0 < start ? start.since($0) : $0.since(start) }
            if drift.map({ $0 > Self.driftMax }) ?? true, save() { saved = start }
            try await Task.sleep(for: Self.interval)
        }
    }

    /// The relation of the time of events to the wall clock.
    private enum Condition {
        case following, stepped, held

        init(_ state: ClockState) { self = state.step != nil ? .stepped : state.isHeld ? .held : .following }
    }

    private func report(_ condition: Condition, _ state: ClockState) {
        let times: Logger.Metadata = ["wall_time": "\(state.wallTime)", "event_time": "\(state.eventTime)"]
        switch condition {
        case .following: logger.notice("events follow the wall clock again")
        case .held: logger.warning("wall clock is behind the newest event; events keep its time", metadata: times)
        case .stepped:
            logger.error(
                "wall clock stepped; events do not follow it",
                metadata: times.merging(
                    [
                        "step": "\(state.step ?? .zero)",
                        "hint": "set the clock right, or confirm it with `sluice clock confirm`",
                    ]) { first, _ in first })
        }
    }

    @discardableResult private func save() -> Bool {
        do throws(SecretsError) {
            try mark.save(ClockMark.Content(machineStart: clock.machineStart, confirmedEvent: clock.confirmedEvent))
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
