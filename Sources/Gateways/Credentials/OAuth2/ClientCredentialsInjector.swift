import Domain
import Synchronization

/// OAuth2 client credentials: a token for all calls of a tool, fetched by one of them, renewed before it ends.
final class ClientCredentialsInjector: CredentialInjector {
    private let request: TokenRequest
    private let endpoint: any TokenEndpoint
    private let now: @Sendable () -> Timestamp
    private let state = Mutex(TokenState<CheckedContinuation<TokenNews, Never>>())

    init(_ request: TokenRequest, endpoint: any TokenEndpoint, now: @escaping @Sendable () -> Timestamp) {
        self.request = request
        self.endpoint = endpoint
        self.now = now
    }

    var secrets: [String] { [request.clientSecret] }

    func apply(to call: OutgoingCall) async throws(CredentialError) -> OutgoingCall {
        var call = call
        try call.setHeader("Authorization", "Bearer " + (try await token()))
        return call
    }

    func mayRenew(after call: OutgoingCall) -> Bool {
        guard let value = call.header("Authorization"), value.hasPrefix("Bearer ") else { return false }
        state.withLock { $0.refuse(String(value.dropFirst("Bearer ".count))) }
        return true
    }

    private func token() async throws(CredentialError) -> String {
        let news = await withCheckedContinuation { waiter in
            switch state.withLock({ $0.take(at: now()) { waiter } }) {
            case .use(let token): waiter.resume(returning: TokenNews.token(token))
            case .fetch: waiter.resume(returning: .fetch)
            case .wait: break
            }
        }
        switch news {
        case .token(let token): return token
        case .failed(let error): throw error
        case .fetch: return try await fetch()
        }
    }

    /// Fetches a token for everybody who waits. Only a cancelled call leaves that to another.
    private func fetch() async throws(CredentialError) -> String {
        let time = now()
        let outcome: TokenOutcome
        do throws(CredentialError) {
            outcome = .token(try await endpoint.token(request, askedAt: time))
        } catch {
            outcome = Task.isCancelled ? .givenUp : .failed(error)
        }
        let (own, others) = state.withLock { $0.fetched(outcome, at: now()) }
        for (waiter, news) in others { waiter.resume(returning: news) }
        switch own {
        case .token(let token): return token
        case .failed(let error): throw error
        case .fetch: preconditionFailure("a fetcher is told of a token or of a failure")
        }
    }
}
