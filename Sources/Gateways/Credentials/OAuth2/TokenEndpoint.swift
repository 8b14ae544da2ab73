package import Domain
import Foundation
import Governance
package import Outbound

/// What is asked of a token endpoint (RFC 6749).
package struct TokenRequest: Hashable, Sendable {
    package enum ClientAuthentication: String, Hashable, Sendable {
        case basic = "client_secret_basic"
        case post = "client_secret_post"
        /// A client that has no secret.
        case none
    }

    package enum Grant: Hashable, Sendable {
        /// Section 4.4.
        case clientCredentials
        /// Section 4.1.3, with the verifier of RFC 7636.
        case authorizationCode(String, redirectURL: String, verifier: String)
        /// Section 6.
        case refreshToken(String)
    }

    package let url: String
    package let clientID: String
    package let clientSecret: String
    package let scopes: [String]
    /// Further parameters, such as an audience, in order.
    package let parameters: [Parameter]
    package let authentication: ClientAuthentication
    package var grant = Grant.clientCredentials
    /// True when the document that names the endpoint has the topology Internal.
    package var isInternal = false

    package struct Parameter: Hashable, Sendable {
        package let name: String
        package let value: String

        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// The form (application/x-www-form-urlencoded).
    package var form: String {
        var fields: [(String, String)] = []
        switch grant {
        case .clientCredentials:
            fields.append(("grant_type", "client_credentials"))
            if !scopes.isEmpty { fields.append(("scope", scopes.joined(separator: " "))) }
        case .authorizationCode(let code, let redirectURL, let verifier):
            fields += [
                ("grant_type", "authorization_code"), ("code", code), ("redirect_uri", redirectURL),
                ("code_verifier", verifier),
            ]
        case .refreshToken(let token): fields += [("grant_type", "refresh_token"), ("refresh_token", token)]
        }
        if authentication != .basic { fields.append(("client_id", clientID)) }
        if authentication == .post { fields.append(("client_secret", clientSecret)) }
        if grant == .clientCredentials { fields += parameters.map { ($0.name, $0.value) } }
        return fields.map { "\(PercentEncoding.encode($0))=\(PercentEncoding.encode($1))" }.joined(separator: "&")
    }

    /// The header of RFC 6749, section 2.3.1; `nil` when the form has the client's credentials.
    package var authorization: String? {
        guard authentication == .basic else { return nil }
        let pair = "\(PercentEncoding.encode(clientID)):\(PercentEncoding.encode(clientSecret))"
        return "Basic " + Data(pair.utf8).base64EncodedString()
    }
}

/// Gives out access tokens.
package protocol TokenEndpoint: Sendable {
    func token(
        _ request: TokenRequest, askedAt time: Timestamp
    ) async throws(CredentialError) -> AccessToken
}

/// A token endpoint asked over HTTP.
package struct HTTPTokenEndpoint: TokenEndpoint {
    private static let timeout = Duration.seconds(10)
    private static let answerBytesMax = 65_536
    /// A year: no token is kept for longer, whatever its endpoint says.
    private static let lifetimeSecondsMax = 31_536_000.0

    private let client: OutboundClient

    package init(client: OutboundClient) { self.client = client }

    package func token(
        _ request: TokenRequest, askedAt time: Timestamp
    ) async throws(CredentialError) -> AccessToken {
        var headers: [(name: String, value: String)] = [
            ("Content-Type", "application/x-www-form-urlencoded"), ("Accept", "application/json"),
        ]
        if let authorization = request.authorization { headers.append(("Authorization", authorization)) }
        let (status, answer): (UInt, [UInt8])
        do throws(OutboundError) {
            let response = try await client.execute(
                OutboundRequest(
                    "POST", OutboundURL.escaping(request.url), headers: headers, body: Array(request.form.utf8),
                    addresses: AddressPolicy(isInternal: request.isInternal),
                    limits: OutboundLimits(headTimeout: Self.timeout, bodyBytesMax: Self.answerBytesMax)))
            (status, answer) = (UInt(response.status), try await response.body.collect())
        } catch {
            guard case .addressRefused(let refusal) = error else {
                throw CredentialError(.tokenUnreachable, "the token endpoint gave no answer")
            }
            throw CredentialError(
                .tokenUnreachable, "the token endpoint " + refusal.reason(allowing: "what names it with the topology"))
        }
        let isRefresh = if case .refreshToken = request.grant { true } else { false }
        return try Self.read(status, answer, askedAt: time, isRefresh: isRefresh)
    }

    /// Reads an answer of RFC 6749, section 5. Of a refusal only a known code is passed on: its words may hold anything.
    ///
    /// - Parameter isRefresh: true when a refusal of any wording is one of the refresh token.
    package static func read(
        _ status: UInt, _ answer: [UInt8], askedAt time: Timestamp, isRefresh: Bool = false
    ) throws(CredentialError) -> AccessToken {
        var value = JSONValue.null
        do throws(JSONError) { value = try JSONValue(parsing: answer) } catch { value = .null }
        if value.containsNUL { value = .null }
        guard status == 200, let text = value["access_token"]?.string, !text.isEmpty else {
            throw TokenRefusal(status, value, answer).error(isRefresh: isRefresh)
        }
        let type = value["token_type"]?.string?.lowercased() ?? "bearer"
        guard type == "bearer" else {
            throw CredentialError(.unsupported, "the token endpoint gives tokens that are not of the type Bearer")
        }
        return AccessToken(
            text, lifetime: lifetime(value["expires_in"]), askedAt: time,
            refreshToken: value["refresh_token"]?.string.flatMap { $0.isEmpty ? nil : $0 },
            scope: value["scope"]?.string, identityToken: value["id_token"]?.string)
    }

    /// The seconds of a number, or of a text that some endpoints send in its place; `nil` for a text such as "nan".
    private static func lifetime(_ value: JSONValue?) -> Duration? {
        let text: String? = if case .number(let number)? = value { number } else { value?.string }
        guard let seconds = text.flatMap(Double.init), !seconds.isNaN else { return nil }
        return .seconds(min(max(seconds, 0), lifetimeSecondsMax))
    }
}
