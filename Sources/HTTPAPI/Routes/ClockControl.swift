package import CommandHandling
package import Domain

/// What the routes may ask and change of the clock.
package struct ClockControl: Sendable {
    package struct Confirmed: Sendable {
        package let step: Duration?
        package let actor: Actor
    }

    let state: @Sendable () -> ClockState
    /// The time of the newest event, which no later one is before.
    let newestEvent: @Sendable () -> Timestamp
    let confirm: @Sendable (Confirmed) -> Void

    package init(
        state: @escaping @Sendable () -> ClockState, newestEvent: @escaping @Sendable () -> Timestamp,
        confirm: @escaping @Sendable (Confirmed) -> Void
    ) {
        self.state = state
        self.newestEvent = newestEvent
        self.confirm = confirm
    }
}
