package import Authentication

/// Keys as they were fetched, and for the how-manieth time.
package struct FetchedKeys: Sendable {
    package let keys: KeySet
    package let generation: UInt64
    let time: ContinuousClock.Instant
}

/// What a request that wants keys has to do.
package enum KeysStep: Sendable {
    case use(FetchedKeys)
    /// Fetch them and report with `fetched`.
    case fetch
    /// Somebody is fetching: the waiter hears of it.
    case wait
    /// A fetch has failed a moment ago: it is too early for another.
    case fail(String)
}

/// What becomes of a request that wanted keys.
package enum KeysNews: Sendable {
    case keys(FetchedKeys)
    case failed(String)
    /// Whoever was fetching has gone away: fetch, and report with `fetched`.
    case fetch
}

/// How a fetch ended.
package enum KeysOutcome: Sendable {
    case keys(KeySet)
    case failed(String)
    /// The request that was fetching was cancelled.
    case givenUp
}

/// When the keys of one address are fetched, and by whom: one at a time, for all who want them.
///
/// Ages are times that have passed. The time of day would have old keys look new after it was set back.
package struct KeySetState<Waiter: Sendable>: Sendable {
    /// Keys older than this are fetched again.
    package static var lifetime: Duration { .seconds(600) }
    /// Keys that cannot be fetched again are used for so long.
    package static var staleMax: Duration { .seconds(3600) }
    /// After a failure, and after a key that was not known, nobody asks again for so long.
    package static var pause: Duration { .seconds(3) }

    private var kept: FetchedKeys?
    private var generation: UInt64 = 0
    private var failure: (reason: String, time: ContinuousClock.Instant)?
    private var renewedAt: ContinuousClock.Instant?
    private var waiting: [Waiter] = []
    package private(set) var isFetching = false
    /// The time of the last request for keys; `nil` before the first.
    package private(set) var usedAt: ContinuousClock.Instant?

    package init() {}

    /// Says what a request has to do; `makeWaiter` is called only for `wait`.
    package mutating func take(at now: ContinuousClock.Instant, _ makeWaiter: () -> Waiter) -> KeysStep {
        usedAt = now
        let usable = usableKeys(at: now)
        if let usable, now < usable.time.advanced(by: Self.lifetime) || isFetching || hasFailed(at: now) {
            return .use(usable)
        }
        if !isFetching, let failure, hasFailed(at: now) { return .fail(failure.reason) }
        return fetchOrWait(makeWaiter)
    }

    /// The same for a request that found its key not among those of a generation. The same generation again means that
    /// there are no newer ones.
    package mutating func take(
        newerThan generation: UInt64, at now: ContinuousClock.Instant, _ makeWaiter: () -> Waiter
    ) -> KeysStep {
        guard let kept, kept.generation == generation else { return take(at: now, makeWaiter) }
        guard !isFetching else { return fetchOrWait(makeWaiter) }
        if let renewedAt, now < renewedAt.advanced(by: Self.pause) { return .use(kept) }
        renewedAt = now
        return fetchOrWait(makeWaiter)
    }

    /// A fetch has ended.
    ///
    /// - Returns: what the fetcher itself goes on with, and what to tell the others.
    package mutating func fetched(
        _ outcome: KeysOutcome, at now: ContinuousClock.Instant
    ) -> (own: KeysNews, others: [(waiter: Waiter, news: KeysNews)]) {
        precondition(isFetching, "a fetch was asked for")
        let news: KeysNews
        switch outcome {
        case .keys(let keys):
            generation += 1
            let fetched = FetchedKeys(keys: keys, generation: generation, time: now)
            (kept, failure) = (fetched, nil)
            news = .keys(fetched)
        case .failed(let reason):
            failure = (reason, now)
            // The old ones are good for some time yet.
            news = usableKeys(at: now).map(KeysNews.keys) ?? .failed(reason)
        case .givenUp:
            isFetching = !waiting.isEmpty
            let next = waiting.isEmpty ? [] : [(waiter: waiting.removeFirst(), news: KeysNews.fetch)]
            return (.failed("the request was given up"), next)
        }
        isFetching = false
        defer { waiting = [] }
        return (news, waiting.map { ($0, news) })
    }

    private mutating func fetchOrWait(_ makeWaiter: () -> Waiter) -> KeysStep {
        guard !isFetching else {
            waiting.append(makeWaiter())
            return .wait
        }
        isFetching = true
        return .fetch
    }

    private func usableKeys(at now: ContinuousClock.Instant) -> FetchedKeys? {
        kept.flatMap { now < $0.time.advanced(by: Self.staleMax) ? $0 : nil }
    }

    private func hasFailed(at now: ContinuousClock.Instant) -> Bool {
        failure.map { now < $0.time.advanced(by: Self.pause) } ?? false
    }
}
