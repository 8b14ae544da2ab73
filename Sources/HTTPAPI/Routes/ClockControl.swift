package import CommandHandling
package import Domain

/// The clock operations of the routes.
package struct ClockControl: Sendable {
    let state: @Sendable () -> ClockState
    /// Has events follow the wall clock after a step, confirmed by an actor.
    let confirm: @Sendable (_ step: Duration, _ actor: Actor) -> Void

    package init(
        state: @escaping @Sendable () -> ClockState,
        confirm: @escaping @Sendable (_ step: Duration, _ actor: Actor) -> Void
    ) {
        self.state = state
        self.confirm = confirm
    }
}
