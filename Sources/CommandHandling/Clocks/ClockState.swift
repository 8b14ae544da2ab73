package import Domain

/// The time of events beside the wall clock.
package struct ClockState: Hashable, Sendable {
    /// The time that events get.
    package let time: Timestamp
    package let wallTime: Timestamp
    /// The wall clock's distance from `time` after an unconfirmed step; `nil` while events follow the wall clock.
    package let step: Duration?

    package init(time: Timestamp, wallTime: Timestamp, step: Duration?) {
        self.time = time
        self.wallTime = wallTime
        self.step = step
    }
}
