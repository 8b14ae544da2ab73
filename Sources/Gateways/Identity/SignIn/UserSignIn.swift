import Domain
import Governance

/// Sign-in of a run's user at an identity provider: OpenID Connect's authorization code flow with PKCE and a nonce.
struct UserSignIn: Sendable {
    let identities: IdentityGateway
    let credentials: CredentialStore
    let endpoint: any TokenEndpoint
    /// The redirect URI. Not that of consents: an answer of one server is never taken for one of another.
    let callbackURL: String

    /// A new attempt at a provider that has a client.
    ///
    /// - Throws: `ConsentFailure` when the provider cannot be asked.
    func attempt(at provider: IdentityProvider) async throws -> SignInAttempt {
        guard let client = provider.client else { throw ConsentFailure.notSignedIn }
        do throws(KeySetUnavailable) {
            return SignInAttempt(
                provider: provider, client: client, endpoints: try await endpoints(of: provider, client),
                nonce: PendingConsents.secret())
        } catch {
            throw ConsentFailure(
                503,
                "You cannot be signed in at this moment: the identity provider \(provider.name) fails: \(error.reason)."
            )
        }
    }

    /// The person whom the provider's answer proves.
    ///
    /// - Throws: `ConsentFailure`.
    func person(
        _ attempt: SignInAttempt, code: String, verifier: String, at now: Timestamp
    ) async throws -> SignedInPerson {
        let identityToken: String?
        do throws(CredentialError) {
            identityToken = try await endpoint.token(
                request(attempt, code: code, verifier: verifier), askedAt: now
            ).identityToken
        } catch {
            throw ConsentFailure(502, "You could not be signed in: \(error.description). Open the link again.")
        }
        guard let identityToken else {
            throw ConsentFailure(502, "You could not be signed in: the identity provider gave no ID token.")
        }
        do {
            return try await identities.person(
                signedInBy: identityToken, at: attempt.provider, clientID: attempt.client.clientID,
                nonce: attempt.nonce)
        } catch let failure as IdentityFailure {
            throw ConsentFailure(failure)
        }
    }

    private func request(
        _ attempt: SignInAttempt, code: String, verifier: String
    ) throws(CredentialError) -> TokenRequest {
        let secret = try clientSecret(of: attempt.provider)
        let authentication = try UserAuthorization.clientAuthentication(
            attempt.client.authentication, hasSecret: secret != nil)
        return TokenRequest(
            url: attempt.endpoints.tokenURL, clientID: attempt.client.clientID, clientSecret: secret ?? "", scopes: [],
            parameters: [], authentication: authentication,
            grant: .authorizationCode(code, redirectURL: callbackURL, verifier: verifier))
    }

    private func clientSecret(of provider: IdentityProvider) throws(CredentialError) -> String? {
        let owner = ResourceKey(workspace: provider.workspace, kind: .identityProvider, name: provider.name)
        return try credentials.secrets(of: owner).values["client_secret"]
    }

    /// The endpoints that the document names, else those of the provider's discovery document (OpenID Connect
    /// Discovery, section 4).
    private func endpoints(
        of provider: IdentityProvider, _ client: SignInClient
    ) async throws(KeySetUnavailable) -> SignInEndpoints {
        if let page = client.authorizationURL, let token = client.tokenURL {
            return SignInEndpoints(authorizationURL: page, tokenURL: token)
        }
        let base = provider.issuer.hasSuffix("/") ? String(provider.issuer.dropLast()) : provider.issuer
        let document = try await identities.document(
            KeySetAddress(url: base + "/.well-known/openid-configuration", isInternal: provider.isInternal))
        guard document["issuer"]?.string.map({ $0.utf8.elementsEqual(provider.issuer.utf8) }) ?? false else {
            throw KeySetUnavailable("its discovery document is of another issuer")
        }
        func url(_ given: String?, _ member: String) throws(KeySetUnavailable) -> String {
            if let given { return given }
            guard let text = document[member]?.string, text.hasPrefix("https://") || !base.hasPrefix("https://"),
                (try? NormalizedURL(text)) != nil
            else { throw KeySetUnavailable("its discovery document has no usable \(member)") }
            return text
        }
        return SignInEndpoints(
            authorizationURL: try url(client.authorizationURL, "authorization_endpoint"),
            tokenURL: try url(client.tokenURL, "token_endpoint"))
    }
}

extension ConsentFailure {
    /// A token that proves no person, in words for the person whose it is.
    init(_ failure: IdentityFailure) {
        switch failure {
        case .token(let reason): self.init(401, "Your sign-in is not accepted: \(reason).")
        case .unavailable(let reason): self.init(503, "You cannot be signed in at this moment: \(reason).")
        }
    }
}
