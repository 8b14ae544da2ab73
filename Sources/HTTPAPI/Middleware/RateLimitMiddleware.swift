import Domain
import Hummingbird
import Synchronization

/// A token bucket for each key and each person; admins are not limited.
final class RateLimitMiddleware: RouterMiddleware {
    typealias Context = APIContext

    private struct Bucket {
        var tokens: Double
        var time: Timestamp
    }

    /// Full buckets are forgotten when there are more than this.
    private static let bucketsMax = 10_000

    private let perSecond: Double
    private let burst: Double
    private let now: @Sendable () -> Timestamp
    private let buckets = Mutex<[Actor.Kind: Bucket]>([:])

    init(perSecond: Int, burst: Int, now: @escaping @Sendable () -> Timestamp) {
        self.perSecond = Double(perSecond)
        self.burst = Double(max(burst, 1))
        self.now = now
    }

    func handle(
        _ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        guard let principal = context.principal, principal.role != .admin else {
            return try await next(request, context)
        }
        if let wait = take(principal.caller) {
            throw APIError(
                .tooManyRequests, .tooManyRequests, "too many requests with this key; try again in \(wait) s"
            ).retryAfter(seconds: wait)
        }
        return try await next(request, context)
    }

    /// Takes a token; when there is none, the seconds until there is.
    private func take(_ key: Actor.Kind) -> Int? {
        let now = now()
        return buckets.withLock { buckets in
            var bucket = buckets[key] ?? Bucket(tokens: burst, time: now)
            let elapsed = Double(max(0, now.microseconds - bucket.time.microseconds)) / 1_000_000
            bucket.tokens = min(burst, bucket.tokens + elapsed * perSecond)
            bucket.time = now
            defer {
                if buckets.count >= Self.bucketsMax, buckets[key] == nil { buckets.removeAll() }
                buckets[key] = bucket
            }
            guard bucket.tokens < 1 else {
                bucket.tokens -= 1
                return nil
            }
            return max(1, Int(((1 - bucket.tokens) / perSecond).rounded(.up)))
        }
    }
}
