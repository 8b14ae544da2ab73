/// A rate with a burst: tokens come at a steady rate, as many are kept as the burst, and each request takes one. Pure.
package struct TokenBucket: Hashable, Sendable {
    private var tokens: Double
    private var time: Timestamp

    /// A full one.
    package init(burst: Double, at time: Timestamp) {
        tokens = burst
        self.time = time
    }

    /// True when as many tokens are there as the bucket keeps.
    package func isFull(perSecond: Double, burst: Double, at now: Timestamp) -> Bool {
        tokens + Double(max(0, now.microseconds - time.microseconds)) / 1_000_000 * perSecond >= burst
    }

    /// Takes a token; when there is none, the whole seconds until there is one, at least 1.
    package mutating func take(perSecond: Double, burst: Double, at now: Timestamp) -> Int? {
        let elapsed = Double(max(0, now.microseconds - time.microseconds)) / 1_000_000
        tokens = min(burst, tokens + elapsed * perSecond)
        time = now
        guard tokens < 1 else {
            tokens -= 1
            return nil
        }
        return max(1, Int(((1 - tokens) / perSecond).rounded(.up)))
    }
}
