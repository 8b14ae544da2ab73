import Domain

/// A person's token for a tool, as it is kept: sealed, among the tool's secrets, under the person's name.
struct UserToken: Hashable, Sendable {
    let accessToken: String
    let refreshToken: String?
    let refreshAt: Timestamp
    let expiresAt: Timestamp
    /// Where it came from: it goes with no tool that names another place.
    let tokenURL: String
    let clientID: String
    /// The origin of the tool that it is for; `nil` for one that was kept before origins were.
    let toolOrigin: String?

    /// - Parameter earlier: keeps its refresh token when the new one brings none (RFC 6749, section 6).
    init(_ token: AccessToken, _ authorization: UserAuthorization, clientID: String, earlier: UserToken? = nil) {
        accessToken = token.text
        refreshToken = token.refreshToken ?? earlier?.refreshToken
        refreshAt = token.refreshAt
        expiresAt = token.expiresAt
        tokenURL = authorization.tokenURL
        toolOrigin = authorization.toolOrigin
        self.clientID = clientID
    }

    /// Reads what was kept; `nil` when it is something else.
    init?(_ bytes: [UInt8]) {
        guard let document = try? JSONValue(parsing: bytes), let access = document["access_token"]?.string,
            let refresh = Self.time(document["refresh_at"]), let expires = Self.time(document["expires_at"]),
            let url = document["token_url"]?.string, let client = document["client_id"]?.string
        else { return nil }
        accessToken = access
        refreshToken = document["refresh_token"]?.string
        (refreshAt, expiresAt) = (refresh, expires)
        (tokenURL, clientID) = (url, client)
        toolOrigin = document["tool_origin"]?.string
    }

    var bytes: [UInt8] {
        var members: [JSONValue.Member] = [
            .init(name: "access_token", value: .string(accessToken)),
            .init(name: "refresh_at", value: .number(String(refreshAt.microseconds))),
            .init(name: "expires_at", value: .number(String(expiresAt.microseconds))),
            .init(name: "token_url", value: .string(tokenURL)), .init(name: "client_id", value: .string(clientID)),
        ]
        if let toolOrigin { members.append(.init(name: "tool_origin", value: .string(toolOrigin))) }
        if let refreshToken { members.append(.init(name: "refresh_token", value: .string(refreshToken))) }
        return Array(JSONValue.object(members).text.text.utf8)
    }

    /// True when the tool names the token endpoint that the token came from, and is where it was.
    func isFor(_ authorization: UserAuthorization) -> Bool {
        tokenURL == authorization.tokenURL && (toolOrigin == nil || toolOrigin == authorization.toolOrigin)
    }

    private static func time(_ value: JSONValue?) -> Timestamp? {
        guard case .number(let text)? = value else { return nil }
        return Int64(text).map { Timestamp(microseconds: $0) }
    }
}
