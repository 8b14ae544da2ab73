/// What a request says about who sends it, from the headers that its client uses.
package enum Credentials: Hashable, Sendable {
    case apiKey(APIKeySecret)
    /// A person's token; its text may still be an API key that looks like one.
    case token(String)
    /// A key for the request, and the token of the person it is made for.
    case both(APIKeySecret, token: String)

    package enum Failure: Error, Hashable, Sendable {
        case missing
        /// Both headers came, with different keys.
        case contradicting
        case malformed
    }

    /// Reads `Authorization: Bearer` and `X-RunAgents-API-Key`. Two keys must be the same; a key may come with a token.
    package init(authorization: String?, apiKeyHeader: String?) throws(Failure) {
        let bearer = authorization.map(Self.bearerToken)
        if case .some(.none) = bearer { throw .malformed }
        switch (bearer ?? nil, apiKeyHeader) {
        case (nil, nil): throw .missing
        case (nil, let key?): self = .apiKey(try Self.secret(key))
        case (let token?, nil): self = JSONWebToken.hasForm(token) ? .token(token) : .apiKey(try Self.secret(token))
        case (let token?, let key?):
            guard token != key else {
                self = .apiKey(try Self.secret(key))
                return
            }
            guard JSONWebToken.hasForm(token) else { throw .contradicting }
            self = .both(try Self.secret(key), token: token)
        }
    }

    private static func secret(_ text: String) throws(Failure) -> APIKeySecret {
        guard let secret = APIKeySecret(text) else { throw .malformed }
        return secret
    }

    private static func bearerToken(_ header: String) -> String? {
        let scheme = "bearer "
        // Setting bit 5 makes ASCII letters lower-case, and changes neither a space nor what is no letter into one of these.
        guard header.utf8.count > scheme.utf8.count,
            zip(header.utf8, scheme.utf8).allSatisfy({ $0 | ($1 == 0x20 ? 0 : 0x20) == $1 })
        else { return nil }
        return String(Substring(header.utf8.dropFirst(scheme.utf8.count).drop { $0 == 0x20 }))
    }
}
