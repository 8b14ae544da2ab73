import Domain

/// How long to wait before an invoke is tried again.
enum Backoff {
    /// Exponential with equal jitter: between half of the step and all of it.
    ///
    /// The jitter is drawn from the run and the attempt, so that a restart comes to the same answer.
    static func pause(
        afterAttempt attempt: UInt32, of run: RunID, _ configuration: SchedulerConfiguration
    ) -> Duration {
        let doublings = min(attempt > 0 ? attempt - 1 : 0, 30)
        let step = min(configuration.backoffMax, configuration.backoffMin * (1 << Int(doublings)))
        let share = Double(mix(run.value.low ^ run.value.high ^ UInt64(attempt) &* 0x9e37_79b9_7f4a_7c15) >> 11)
        return step / 2 + step / 2 * (share / Double(1 << 53))
    }

    /// The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
    private static func mix(_ value: UInt64) -> UInt64 {
        var mixed = value
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}
