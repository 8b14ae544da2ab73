/// The API key of a request, from the header that its client uses.
package enum Credentials {
    package enum Failure: Error, Hashable, Sendable {
        case missing
        /// Both headers came, with different keys.
        case contradicting
        case malformed
    }

    /// Reads `Authorization: Bearer` and `X-RunAgents-API-Key`; if both come they must carry the same key.
    package static func apiKey(
        authorization: String?, apiKeyHeader: String?
    ) throws(Failure) -> APIKeySecret {
        let bearer = authorization.map(bearerToken)
        if case .some(.none) = bearer { throw .malformed }
        let token = bearer ?? nil
        if let token, let apiKeyHeader, token != apiKeyHeader { throw .contradicting }
        guard let text = token ?? apiKeyHeader else { throw .missing }
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
