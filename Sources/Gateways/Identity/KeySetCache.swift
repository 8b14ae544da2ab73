import Authentication
import Logging
import Synchronization

/// The keys of all identity providers, each address asked by one request for all.
final class KeySetCache: Sendable {
    /// Addresses remembered; the one that was not asked for longest is forgotten first.
    static let addressesMax = 256

    private typealias State = KeySetState<CheckedContinuation<KeysNews, Never>>

    private let endpoint: any KeySetEndpoint
    private let now: @Sendable () -> ContinuousClock.Instant
    private let logger: Logger
    private let states = Mutex<[KeySetAddress: State]>([:])

    init(
        _ endpoint: any KeySetEndpoint, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
        logger: Logger
    ) {
        self.endpoint = endpoint
        self.now = now
        self.logger = logger
    }

    /// The keys of an address; with a generation, newer ones than that if there are any.
    func keys(
        of address: KeySetAddress, newerThan generation: UInt64? = nil
    ) async throws(KeySetUnavailable) -> FetchedKeys {
        let time = now()
        let news = await withCheckedContinuation { waiter in
            let step = changing(address) { state in
                if let generation { return state.take(newerThan: generation, at: time) { waiter } }
                return state.take(at: time) { waiter }
            }
            switch step {
            case .use(let keys): waiter.resume(returning: KeysNews.keys(keys))
            case .fetch: waiter.resume(returning: .fetch)
            case .fail(let reason): waiter.resume(returning: .failed(reason))
            case .wait: break
            }
        }
        switch news {
        case .keys(let keys): return keys
        case .failed(let reason): throw KeySetUnavailable(reason)
        case .fetch: return try await fetch(address)
        }
    }

    /// Fetches the keys for everybody who waits. Only a cancelled request leaves that to another.
    private func fetch(_ address: KeySetAddress) async throws(KeySetUnavailable) -> FetchedKeys {
        let outcome: KeysOutcome
        do throws(KeySetUnavailable) {
            outcome = .keys(try await endpoint.keys(address))
        } catch {
            outcome = Task.isCancelled ? .givenUp : .failed(error.reason)
        }
        if case .failed(let reason) = outcome {
            logger.warning(
                "failed to fetch JWKS",
                metadata: ["url": "\(address.url)", "error": "\(reason)"])
        }
        let time = now()
        let (own, others) = changing(address) { $0.fetched(outcome, at: time) }
        for (waiter, news) in others { waiter.resume(returning: news) }
        switch own {
        case .keys(let keys): return keys
        case .failed(let reason): throw KeySetUnavailable(reason)
        case .fetch: preconditionFailure("a fetcher is told of keys or of a failure")
        }
    }

    private func changing<Result: Sendable>(
        _ address: KeySetAddress, _ change: (inout sending State) -> sending Result
    ) -> Result {
        states.withLock { states in
            var state = states[address] ?? State()
            if states[address] == nil, states.count >= Self.addressesMax,
                let oldest = states.filter({ !$0.value.isFetching }).compactMap({ key, state in
                    state.usedAt.map { (key: key, usedAt: $0) }
                }).min(by: { $0.usedAt < $1.usedAt })
            {
                states[oldest.key] = nil
            }
            let result = change(&state)
            states[address] = state
            return result
        }
    }
}
