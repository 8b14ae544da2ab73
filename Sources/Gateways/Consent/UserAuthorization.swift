import Domain

/// Where people consent to calls of a tool, and where their tokens come from (RFC 6749, section 4.1).
package struct UserAuthorization: Hashable, Sendable {
    /// The page that people are sent to.
    package let pageURL: String
    package let tokenURL: String
    package let scopes: [String]
    /// Further parameters of the page, in order.
    package let parameters: [TokenRequest.Parameter]
    /// How the client proves itself to the token endpoint.
    package let client: String?
    /// True when the tool has the topology Internal, and its token endpoint with it.
    package var isInternal = false
    /// The origin of the tool that the tokens are for.
    package var toolOrigin: String?

    /// A request of the token endpoint.
    func request(
        _ grant: TokenRequest.Grant, clientID: String, clientSecret: String?
    ) throws(CredentialError) -> TokenRequest {
        let authentication = try Self.clientAuthentication(client, hasSecret: clientSecret != nil)
        return TokenRequest(
            url: tokenURL, clientID: clientID, clientSecret: clientSecret ?? "", scopes: [], parameters: [],
            authentication: authentication, grant: grant, isInternal: isInternal)
    }

    /// The way in which a client proves itself: as named, else by its secret, else not at all.
    static func clientAuthentication(
        _ named: String?, hasSecret: Bool
    ) throws(CredentialError) -> TokenRequest.ClientAuthentication {
        let fallback = hasSecret ? "client_secret_basic" : "none"
        guard let authentication = TokenRequest.ClientAuthentication(rawValue: named ?? fallback) else {
            throw CredentialError(
                .unsupported, "clientAuthentication must be client_secret_basic, client_secret_post or none")
        }
        return authentication
    }
}
