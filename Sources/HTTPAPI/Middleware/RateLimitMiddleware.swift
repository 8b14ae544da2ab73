import Domain
import Hummingbird
import Synchronization

/// A token bucket for each key and each person; admins are not limited.
final class RateLimitMiddleware: RouterMiddleware {
    typealias Context = APIContext

    private let now: @Sendable () -> Timestamp
    private let limiter: Mutex<RateLimiter<Actor.Kind>>

    init(perSecond: Int, burst: Int, now: @escaping @Sendable () -> Timestamp) {
        limiter = Mutex(RateLimiter(perSecond: Double(perSecond), burst: Double(max(burst, 1))))
        self.now = now
    }

    func handle(
        _ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        guard let principal = context.principal, principal.role != .admin else {
            return try await next(request, context)
        }
        let now = now()
        if let wait = limiter.withLock({ $0.take(principal.caller, at: now) }) {
            throw APIError(
                .tooManyRequests, .tooManyRequests, "too many requests with this key; try again in \(wait) s"
            ).retryAfter(seconds: wait)
        }
        return try await next(request, context)
    }
}
