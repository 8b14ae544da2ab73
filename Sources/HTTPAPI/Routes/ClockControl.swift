package import CommandHandling
package import Domain

/// The clock operations of the routes.
package struct ClockControl: Sendable {
    let state: @Sendable () -> ClockState
    /// The time of the newest event, which no later one is before.
    let newestEvent: @Sendable () -> Timestamp
    /// Has events follow the wall clock after a step, confirmed by an actor.
    let confirm: @Sendable (_ step: Duration, _ actor: Actor) -> Void

    package init(
        state: @escaping @Sendable () -> ClockState, newestEvent: @escaping @Sendable () -> Timestamp,
        confirm: @escaping @Sendable (_ step: Duration, _ actor: Actor) -> Void
    ) {
        self.state = state
        self.newestEvent = newestEvent
        self.confirm = confirm
    }
}
