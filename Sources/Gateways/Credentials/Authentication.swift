package import Domain

/// How a tool or a model provider wants to be authenticated to: `spec.connection.authentication`, or `spec.auth`.
package enum Authentication: Hashable, Sendable {
    case none
    case apiKey(place: String, name: String?, valuePrefix: String?)
    case oauth2(tokenURL: String, scopes: [String], parameters: [TokenRequest.Parameter], client: String?)
    /// OAuth2 with an address to send people to: each user consents, and calls go out with their tokens.
    case userOAuth2(UserAuthorization)
    case awsSignature(region: String?, service: String?)

    /// Reads the document; its members may stand in a member of the type's own (`apiKeyConfig`) or beside the type.
    package init(_ document: JSONValue?) throws(CredentialError) {
        guard let document, document != .null else {
            self = .none
            return
        }
        func member(_ config: String, _ names: String...) -> JSONValue? {
            for name in names {
                if let value = document[config]?[name] ?? document[name], value != .null { return value }
            }
            return nil
        }
        switch document["type"]?.string ?? "None" {
        case "None": self = .none
        case "APIKey":
            self = .apiKey(
                place: member("apiKeyConfig", "in")?.string ?? "header", name: member("apiKeyConfig", "name")?.string,
                valuePrefix: member("apiKeyConfig", "valuePrefix", "value_prefix")?.string)
        case "OAuth2":
            guard let url = member("oauth2Config", "tokenUrl", "token_url")?.string, !url.isEmpty else {
                throw CredentialError(.malformed, "the authentication of type OAuth2 has no oauth2Config.tokenUrl")
            }
            if let page = member("oauth2Config", "authUrl", "auth_url")?.string, !page.isEmpty {
                self = .userOAuth2(
                    UserAuthorization(
                        pageURL: page, tokenURL: url, scopes: Self.texts(member("oauth2Config", "scopes")),
                        parameters: Self.parameters(member("oauth2Config", "authParams")),
                        client: member("oauth2Config", "clientAuthentication")?.string))
                return
            }
            self = .oauth2(
                tokenURL: url, scopes: Self.texts(member("oauth2Config", "scopes")),
                parameters: Self.parameters(member("oauth2Config", "authParams")),
                client: member("oauth2Config", "clientAuthentication")?.string)
        case "AWSSignature":
            let config = document["awsSignatureConfig"]?.present == nil ? "awsConfig" : "awsSignatureConfig"
            self = .awsSignature(
                region: member(config, "region")?.string, service: member(config, "service")?.string)
        case let type:
            throw CredentialError(
                .unsupported, "the authentication type \(type.excerpt) is not one of None, APIKey, OAuth2, AWSSignature"
            )
        }
    }

    private static func texts(_ value: JSONValue?) -> [String] {
        switch value {
        case .array(let values): values.compactMap(\.string)
        case .string(let text): text.split(separator: " ").map(String.init)
        default: []
        }
    }

    private static func parameters(_ value: JSONValue?) -> [TokenRequest.Parameter] {
        guard case .object(let members)? = value else { return [] }
        return members.compactMap { member in
            member.value.string.map { TokenRequest.Parameter(name: member.name, value: $0) }
        }
    }
}
