package import Domain

/// An access token and how long it is good for.
package struct AccessToken: Hashable, Sendable {
    package let text: String
    package let expiresAt: Timestamp
    /// From here on a new one is fetched, while this one is still in use.
    package let refreshAt: Timestamp
    /// What a new one is had with, when it is a person's.
    package let refreshToken: String?
    /// What it is good for, as the endpoint says.
    package let scope: String?
    /// The ID token of OpenID Connect, when one was asked for.
    package let identityToken: String?

    /// A token that was asked for at `time`; without a lifetime it is taken to last five minutes.
    package init(
        _ text: String, lifetime: Duration?, askedAt time: Timestamp, refreshToken: String? = nil, scope: String? = nil,
        identityToken: String? = nil
    ) {
        self.text = text
        self.refreshToken = refreshToken
        self.scope = scope
        self.identityToken = identityToken
        let lifetime = max(lifetime ?? .seconds(300), .zero)
        expiresAt = time.adding(lifetime)
        refreshAt = time.adding(lifetime - min(lifetime / 5, .seconds(60)))
    }
}

/// What a call that wants a token has to do.
package enum TokenStep: Equatable, Sendable {
    case use(String)
    /// Fetch a token and report with `fetched`.
    case fetch
    /// Somebody is fetching: the waiter hears of it.
    case wait
}

/// What becomes of a call that wanted a token.
package enum TokenNews: Equatable, Sendable {
    case token(String)
    case failed(CredentialError)
    /// Whoever was fetching has gone away: fetch, and report with `fetched`.
    case fetch
}

/// How a fetch ended.
package enum TokenOutcome: Equatable, Sendable {
    case token(AccessToken)
    case failed(CredentialError)
    /// The call that was fetching was cancelled.
    case givenUp
}

/// Which token a call takes, and who fetches the next one: one at a time, for all who want it.
package struct TokenState<Waiter: Sendable>: Sendable {
    private var token: AccessToken?
    private var isFetching = false
    private var waiting: [Waiter] = []

    package init() {}

    /// Says what a call has to do; `makeWaiter` is called only for `wait`.
    package mutating func take(at now: Timestamp, _ makeWaiter: () -> Waiter) -> TokenStep {
        if let token, now < token.expiresAt, isFetching || now < token.refreshAt { return .use(token.text) }
        guard !isFetching else {
            waiting.append(makeWaiter())
            return .wait
        }
        isFetching = true
        return .fetch
    }

    /// A fetch has ended.
    ///
    /// - Returns: what the fetcher itself goes on with, and what to tell the others.
    package mutating func fetched(
        _ outcome: TokenOutcome, at now: Timestamp
    ) -> (own: TokenNews, others: [(waiter: Waiter, news: TokenNews)]) {
        precondition(isFetching, "a fetch was asked for")
        let news: TokenNews
        switch outcome {
        case .token(let fetched):
            token = fetched
            news = .token(fetched.text)
        case .failed(let error):
            // The old one is good for some time yet.
            if let token, now < token.expiresAt { news = .token(token.text) } else { news = .failed(error) }
        case .givenUp:
            isFetching = !waiting.isEmpty
            let next = waiting.isEmpty ? [] : [(waiter: waiting.removeFirst(), news: TokenNews.fetch)]
            return (.failed(CredentialError(.tokenUnreachable, "the call was given up")), next)
        }
        isFetching = false
        defer { waiting = [] }
        return (news, waiting.map { ($0, news) })
    }

    /// A call with this token got a 401: it is not used again. A newer one stays.
    package mutating func refuse(_ text: String) {
        if token?.text == text { token = nil }
    }
}
