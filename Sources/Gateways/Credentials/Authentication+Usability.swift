import Domain

extension Authentication {
    /// Checks that calls can be authenticated in this way once the secrets are there: a document that fails here would
    /// fail each call.
    ///
    /// - Parameter allowsConsent: True for tools, whose users may consent to calls.
    package func checkUsable(allowsConsent: Bool) throws(CredentialError) {
        switch self {
        case .none: break
        case .apiKey(let place, let name, let prefix):
            let place = try APIKeyInjector.Place(place, name)
            guard case .header(let name) = place else { return }
            var call = OutgoingCall(method: "GET", url: "", headers: [], body: [])
            try call.setHeader(name, prefix ?? "")
        case .oauth2(_, _, _, let client):
            _ = try Self.clientAuthentication(client)
        case .userOAuth2(let authorization):
            guard allowsConsent else { throw Self.consentUnsupported }
            _ = try UserAuthorization.clientAuthentication(authorization.client, hasSecret: true)
        case .awsSignature(let region, let service): _ = try Self.signing(region, service)
        }
    }

    static var consentUnsupported: CredentialError {
        CredentialError(.unsupported, "people consent to calls of tools alone: leave out oauth2Config.authUrl")
    }

    static func clientAuthentication(
        _ client: String?
    ) throws(CredentialError) -> TokenRequest.ClientAuthentication {
        guard let method = TokenRequest.ClientAuthentication(rawValue: client ?? "client_secret_basic"), method != .none
        else {
            throw CredentialError(
                .unsupported, "clientAuthentication must be client_secret_basic or client_secret_post")
        }
        return method
    }

    /// The region and the service that a signature is for.
    static func signing(_ region: String?, _ service: String?) throws(CredentialError) -> (
        region: String, service: String
    ) {
        guard let region, let service, !region.isEmpty, !service.isEmpty else {
            throw CredentialError(.malformed, "the authentication of type AWSSignature needs a region and a service")
        }
        return (region, service)
    }
}
