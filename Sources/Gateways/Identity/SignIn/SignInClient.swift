import Domain

/// The registration of Sluice at an identity provider, for people who sign in with their browser.
package struct SignInClient: Hashable, Sendable {
    static let scopesDefault = ["openid", "profile", "email"]

    let clientID: String
    let scopes: [String]
    /// The authorization endpoint; `nil` leaves it to the provider's discovery document, like the next.
    let authorizationURL: String?
    let tokenURL: String?
    /// The way in which the client proves itself to the token endpoint.
    let authentication: String?

    /// Reads `spec.identityProvider`; `nil` when it has no client.
    init?(_ settings: JSONValue?) {
        guard let id = settings?["clientId"]?.string, !id.isEmpty else { return nil }
        clientID = id
        let named = (settings?["scopes"]).strings
        scopes = named.isEmpty ? Self.scopesDefault : named
        authorizationURL = settings?["authorizationEndpoint"]?.string
        tokenURL = settings?["tokenEndpoint"]?.string
        authentication = settings?["clientAuthentication"]?.string
    }
}

/// The endpoints of an identity provider that a sign-in needs.
struct SignInEndpoints: Hashable, Sendable {
    let authorizationURL: String
    let tokenURL: String
}

/// One sign-in on its way: the provider, and the nonce that its answer has to carry.
struct SignInAttempt: Sendable {
    let provider: IdentityProvider
    let client: SignInClient
    let endpoints: SignInEndpoints
    let nonce: String

    /// The provider's page (OpenID Connect Core, section 3.1.2.1).
    func page(state: String, challenge: String, callbackURL: String) -> String {
        endpoints.authorizationURL.withQuery([
            ("response_type", "code"), ("client_id", client.clientID), ("redirect_uri", callbackURL),
            ("scope", client.scopes.joined(separator: " ")), ("state", state), ("nonce", nonce),
            ("code_challenge", challenge), ("code_challenge_method", "S256"),
        ])
    }
}
