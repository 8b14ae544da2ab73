/// The timers that a loop has running beside its other waits.
///
/// A cancelled `Task.sleep` keeps its memory, about 700 bytes, until its time has come, and then costs a wake-up. A loop that
/// waits often therefore leaves its timers running over its waits, and starts one only when none that runs ends in time.
package struct RunningTimers {
    /// Latest first: a timer is only started when it is earlier than all others.
    private var ends: [ContinuousClock.Instant] = []

    package init() {}

    /// The number of timers that run.
    package var count: Int { ends.count }

    /// True when a timer has to be started for that time, which then counts as running; it may wake the loop earlier
    /// otherwise.
    package mutating func start(_ end: ContinuousClock.Instant) -> Bool {
        if let earliest = ends.last, earliest <= end { return false }
        ends.append(end)
        return true
    }

    /// Notes that the timer has ended.
    package mutating func ended(_ end: ContinuousClock.Instant) { ends.removeAll { $0 == end } }
}
