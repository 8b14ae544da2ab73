package import Domain

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

    /// A request of the token endpoint.
    func request(
        _ grant: TokenRequest.Grant, clientID: String, clientSecret: String?
    ) throws(CredentialError) -> TokenRequest {
        let fallback = clientSecret == nil ? "none" : "client_secret_basic"
        guard let authentication = TokenRequest.ClientAuthentication(rawValue: client ?? fallback) else {
            throw CredentialError(
                .unsupported, "clientAuthentication must be client_secret_basic, client_secret_post or none")
        }
        return TokenRequest(
            url: tokenURL, clientID: clientID, clientSecret: clientSecret ?? "", scopes: [], parameters: [],
            authentication: authentication, grant: grant, isInternal: isInternal)
    }
}
