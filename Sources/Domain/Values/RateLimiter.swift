/// A token bucket for each of many principals. Pure.
///
/// Only full buckets are forgotten: to forget another one would give its principal a new burst.
package struct RateLimiter<Key: Hashable & Sendable>: Sendable {
    private let perSecond: Double
    private let burst: Double
    private let bucketsMax: Int
    private var buckets: [Key: TokenBucket] = [:]
    /// The time of the next look at all buckets.
    private var sweepDue: Timestamp?

    /// - Parameter bucketsMax: principals whose buckets are kept at the same time.
    package init(perSecond: Double, burst: Double, bucketsMax: Int = 100_000) {
        self.perSecond = perSecond
        self.burst = burst
        self.bucketsMax = bucketsMax
    }

    package var count: Int { buckets.count }

    /// Takes a token; when there is none, the whole seconds until there is one.
    ///
    /// A principal that has no bucket waits too while as many others as can be kept are using theirs.
    package mutating func take(_ key: Key, at now: Timestamp) -> Int? {
        if buckets[key] == nil, !makeRoom(at: now) { return 1 }
        return buckets[key, default: TokenBucket(burst: burst, at: now)]
            .take(perSecond: perSecond, burst: burst, at: now)
    }

    /// Forgets full buckets when there are as many as can be kept; at most once a second, since it looks at all.
    private mutating func makeRoom(at now: Timestamp) -> Bool {
        guard buckets.count >= bucketsMax else { return true }
        if let sweepDue, now < sweepDue { return false }
        sweepDue = now.adding(.seconds(1))
        buckets = buckets.filter { !$0.value.isFull(perSecond: perSecond, burst: burst, at: now) }
        return buckets.count < bucketsMax
    }
}
