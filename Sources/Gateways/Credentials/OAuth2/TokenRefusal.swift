import Domain

/// A token endpoint's answer that holds no token.
///
/// RFC 6749 has six codes, and services have many more: GitHub answers 200 with `bad_refresh_token`, Microsoft
/// `interaction_required`, Slack 200 with `"ok": false` and `invalid_refresh_token`. So a refresh that is refused means
/// that the user has to consent again, unless the refusal is one of those that consent does not mend.
struct TokenRefusal {
    /// The codes of RFC 6749, section 5.2, which may be shown.
    private static let knownCodes: Set = [
        "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type",
        "invalid_scope",
    ]
    /// Faults of the tool's client, which every user's token would meet.
    private static let clientCodes: Set = [
        "invalid_client", "unsupported_grant_type", "incorrect_client_credentials", "bad_client_secret",
        "invalid_client_id",
    ]
    /// Faults that pass by themselves.
    private static let passingCodes: Set = [
        "temporarily_unavailable", "server_error", "slow_down", "ratelimited", "rate_limited", "internal_error",
        "fatal_error", "service_unavailable", "request_timeout",
    ]

    private let status: UInt
    private let code: String?
    /// True for a refusal in words, or by a status that means nothing else.
    private let isRefusal: Bool

    init(_ status: UInt, _ value: JSONValue, _ answer: [UInt8]) {
        self.status = status
        code = value["error"]?.string ?? value["error"]?["code"]?.string ?? Self.codeInForm(answer)
        isRefusal = code != nil || value["ok"] == .bool(false) || [400, 401].contains(status)
    }

    /// The error for the caller. A refused refresh is `grantRefused`, which has the user asked to consent again.
    func error(isRefresh: Bool) -> CredentialError {
        if status >= 500 || [408, 425, 429].contains(status) || code.map { Self.passingCodes.contains($0) } ?? false {
            return CredentialError(.tokenUnreachable, "the token endpoint answered \(status)")
        }
        let isOfClient = code.map { Self.clientCodes.contains($0) } ?? false
        let isOfGrant = isRefresh ? isRefusal && !isOfClient : code == "invalid_grant"
        let shown = code.flatMap { Self.knownCodes.contains($0) ? " (\($0))" : nil } ?? ""
        return CredentialError(
            isOfGrant ? .grantRefused : .tokenRefused,
            "the token endpoint answered \(status)\(shown): check client_id and client_secret")
    }

    /// The code in `error=…&…`, as services answer that do not heed `Accept`.
    private static func codeInForm(_ answer: [UInt8]) -> String? {
        let field = answer.split(separator: UInt8(ascii: "&")).first { $0.starts(with: "error=".utf8) }
        return field.map { String(decoding: $0.dropFirst(6), as: UTF8.self) }
    }
}
