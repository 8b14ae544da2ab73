package import Domain

/// The time of events beside the wall clock.
package struct ClockState: Hashable, Sendable {
    /// The time by which deadlines are judged.
    package let time: Timestamp
    package let wallTime: Timestamp
    /// The wall clock's distance from `time` after an unconfirmed step; `nil` while events follow the wall clock.
    package let step: Duration?
    /// The time of the newest event: no later event has an earlier one.
    package let newestEvent: Timestamp
    /// True while the wall clock is behind the newest event by a step or more.
    package let isBehindEvents: Bool

    package init(time: Timestamp, wallTime: Timestamp, step: Duration?, newestEvent: Timestamp, isBehindEvents: Bool) {
        self.time = time
        self.wallTime = wallTime
        self.step = step
        self.newestEvent = newestEvent
        self.isBehindEvents = isBehindEvents
    }

    /// The time that the next event gets.
    package var eventTime: Timestamp { max(time, newestEvent) }

    /// True while events keep the time of the newest one, because the wall clock that they follow is behind it.
    package var isHeld: Bool { step == nil && isBehindEvents }
}
