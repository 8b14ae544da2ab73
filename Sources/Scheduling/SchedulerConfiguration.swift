/// What an operator may tune about driving runs.
package struct SchedulerConfiguration: Hashable, Sendable {
    /// Attempts of one invoke, the first included.
    package var invokeAttemptsMax: UInt32 = 5
    /// The pause before the second attempt; it doubles with each further one.
    package var backoffMin: Duration = .seconds(1)
    package var backoffMax: Duration = .seconds(60)
    /// Invokes of one agent in flight at the same time.
    package var agentConcurrencyMax = 8
    /// How long a deadline is awaited before the clock is looked at again: it may have been set meanwhile.
    package var clockCheckInterval: Duration = .seconds(5)
    /// How long a command waits that the writer did not take.
    package var postponement: Duration = .seconds(1)

    package init() {}
}
