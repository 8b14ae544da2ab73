import Domain
import Synchronization

/// How many calls a minute go to each provider, by a token bucket.
final class RequestRates: Sendable {
    private static let providersMax = 4096

    private let buckets = Mutex<[ResourceKey: TokenBucket]>([:])

    /// Counts a call, unless the limit is reached.
    ///
    /// - Returns: `nil` when the call may go; else the seconds until one may.
    func take(_ provider: ResourceKey, perMinute limit: UInt64, at now: Timestamp) -> Int? {
        buckets.withLock { buckets in
            if buckets[provider] == nil, buckets.count >= Self.providersMax { buckets.removeAll() }
            return buckets[provider, default: TokenBucket(burst: Double(limit), at: now)]
                .take(perSecond: Double(limit) / 60, burst: Double(limit), at: now)
        }
    }
}
