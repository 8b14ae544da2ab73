import Domain
import Hummingbird
import Synchronization

/// A token bucket for each key and each person; admins are not limited.
final class RateLimitMiddleware: RouterMiddleware {
    typealias Context = APIContext

    /// Full buckets are forgotten when there are more than this.
    private static let bucketsMax = 10_000

    private let perSecond: Double
    private let burst: Double
    private let now: @Sendable () -> Timestamp
    private let buckets = Mutex<[Actor.Kind: TokenBucket]>([:])

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
            if buckets.count >= Self.bucketsMax, buckets[key] == nil { buckets.removeAll() }
            return buckets[key, default: TokenBucket(burst: burst, at: now)]
                .take(perSecond: perSecond, burst: burst, at: now)
        }
    }
}
