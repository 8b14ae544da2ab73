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
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        return String(parts[1].drop { $0 == " " })
    }
}
