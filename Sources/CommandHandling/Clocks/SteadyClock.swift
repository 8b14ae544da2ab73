package import Domain
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A clock that follows the wall clock, but none of its steps.
///
/// The wall clock is compared with the time since the machine's start (`CLOCK_BOOTTIME`, which cannot be set). While the two
/// move apart by less than `stepMin`, this clock shows the wall clock. After a step it continues as if there had been none,
/// until the wall clock is back or the step is confirmed. So a wrong clock expires and destroys nothing.
package final class SteadyClock: WallClock {
    /// A reading of both clocks at one moment.
    package struct Reading: Sendable {
        let wall: Timestamp
        /// Time since the machine's start, its sleep included.
        let sinceStart: Duration

        package init(wall: Timestamp, sinceStart: Duration) {
            self.wall = wall
            self.sinceStart = sinceStart
        }

        /// The clocks of this machine.
        @Sendable package static func ofMachine() -> Reading {
            #if canImport(Glibc)
                let uptime = Timestamp.of(CLOCK_BOOTTIME)
            #else
                // Counts sleep on Darwin.
                let uptime = Timestamp.of(CLOCK_MONOTONIC)
            #endif
            return Reading(wall: .of(CLOCK_REALTIME), sinceStart: .microseconds(uptime.microseconds))
        }

        /// The time of the machine's start, as the wall clock has it.
        fileprivate var start: Timestamp { wall.adding(.zero - sinceStart) }
    }

    /// Below this, a difference is the jitter of two readings.
    private static let jitter = Duration.milliseconds(1)

    private let stepMin: Duration
    private let read: @Sendable () -> Reading
    /// The machine's start, in microseconds of this clock.
    private let start: Atomic<Int64>
    /// The newest event that a confirmed wall clock was behind, in microseconds; `Int64.min` when there is none.
    private let confirmed: Atomic<Int64>

    /// - Parameters:
    ///   - stepMin: the smallest change of the wall clock that is a step.
    ///   - start: the machine's start as an earlier process had it; `nil` begins with the wall clock.
    ///   - confirmed: `confirmedEvent` of an earlier process.
    package init(
        stepMin: Duration, continuing start: Timestamp? = nil, confirmedEvent confirmed: Timestamp? = nil,
        read: @escaping @Sendable () -> Reading = Reading.ofMachine
    ) {
        self.stepMin = stepMin
        self.read = read
        self.start = Atomic((start ?? read().start).microseconds)
        self.confirmed = Atomic(confirmed?.microseconds ?? .min)
    }

    package func now() -> Timestamp { following(read()).now }

    package func wallTime() -> Timestamp { read().wall }

    /// This clock beside the wall clock and the newest event.
    package func state(newestEvent: Timestamp) -> ClockState {
        let reading = read()
        let (now, step) = following(reading)
        return ClockState(
            time: now, wallTime: reading.wall, step: step, newestEvent: newestEvent,
            isBehindEvents: newestEvent.since(reading.wall) >= stepMin)
    }

    /// The machine's start as this clock has it, for the next process.
    package var machineStart: Timestamp { Timestamp(microseconds: start.load(ordering: .relaxed)) }

    /// The newest event that the wall clock was behind when it was confirmed, for the next process.
    package var confirmedEvent: Timestamp? {
        let time = confirmed.load(ordering: .relaxed)
        return time == .min ? nil : Timestamp(microseconds: time)
    }

    /// Follows the wall clock from here on, whatever it shows.
    ///
    /// Where it is behind the newest event, it stays so: `advance` does not continue after that event again.
    package func followWallClock(newestEvent: Timestamp) {
        let reading = read()
        start.store(reading.start.microseconds, ordering: .relaxed)
        confirmed.store(newestEvent > reading.wall ? newestEvent.microseconds : .min, ordering: .relaxed)
    }

    /// Continues after the newest event when the wall clock is behind it, unless it was confirmed there.
    package func advance(to time: Timestamp) {
        if let confirmedEvent, time.since(confirmedEvent) < stepMin { return }
        let reading = read()
        guard time.since(following(reading).now) >= stepMin else { return }
        start.store(time.adding(.zero - reading.sinceStart).microseconds, ordering: .relaxed)
    }

    private func following(_ reading: Reading) -> (now: Timestamp, step: Duration?) {
        let start = machineStart
        let apart = reading.start.since(start)
        let size = apart < .zero ? .zero - apart : apart
        guard size < stepMin else { return (start.adding(reading.sinceStart), apart) }
        if size > Self.jitter { self.start.store(reading.start.microseconds, ordering: .relaxed) }
        return (reading.wall, nil)
    }
}
