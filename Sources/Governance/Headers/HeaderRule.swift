/// Rules about the names of request headers that an agent may send to a tool.
///
/// An allow list: a header that is neither in it nor named by the tool's document is dropped.
enum HeaderRule {
    /// Headers that can change what a call does: part of an approval, of the journal and of the record.
    static let bound: Set<String> = [
        "accept", "accept-charset", "accept-language", "cache-control", "content-digest", "content-disposition",
        "content-encoding", "content-language", "content-md5", "content-range", "content-type", "if-match",
        "if-modified-since", "if-none-match", "if-range", "if-unmodified-since", "prefer", "range",
        "repr-digest",
    ]

    /// Headers that describe an attempt, and differ between two attempts of the same call.
    static let unbound: Set<String> = [
        "traceparent", "tracestate", "user-agent", "x-action-id", "x-request-id", "x-tool-call-id", "x-tool-function",
        "x-tool-name", "x-tool-turn",
    ]

    /// Headers that ask for a piece of an answer; dropped for tools with credentials, because a credential that a tool
    /// quotes is redacted in whole answers alone.
    static let pieces: Set<String> = ["if-range", "range", "request-range", "x-ms-range", "x-range"]

    /// The operation of an AWS service with a JSON protocol; allowed for tools whose calls are signed for AWS.
    static let awsTarget = "x-amz-target"

    /// Headers whose value is a list, so that several lines are one line joined by commas (RFC 9110, section 5.3).
    static let lists: Set<String> = [
        "accept", "accept-charset", "accept-language", "cache-control", "content-digest", "content-encoding",
        "content-language", "if-match", "if-none-match", "prefer", "repr-digest", "tracestate",
    ]

    /// The reason why no agent may send the header; `nil` when a document may name it.
    ///
    /// - Parameters:
    ///   - name: in lower case.
    ///   - isIdentity: true when the document says that the header states an identity, and that agents may choose it.
    static func refusal(of name: String, isIdentity: Bool = false) -> String? {
        let isPlain = name.utf8.allSatisfy { $0.isLetter || $0.isDigit || $0 == UInt8(ascii: "-") }
        guard isPlain, !name.isEmpty, name.utf8.count <= nameBytesMax else {
            return "a name has 1 to \(nameBytesMax) letters, digits and hyphens; servers read \"_\" as \"-\""
        }
        let family = families.first { $0.names.contains(name) || $0.prefixes.contains(where: name.hasPrefix) }
        if let family { return family.reason }
        guard !isIdentity, name != "user-agent", isOfIdentity(name) else { return nil }
        return "its name says that it states who the user or the tenant is, or for whom the call is made; where agents "
            + "may choose that, name it in spec.connection.identityHeaders instead"
    }

    /// True when a word of the name is one by which proxies and applications name identities.
    private static func isOfIdentity(_ name: String) -> Bool {
        let words = name.split(separator: "-")
        return words.contains { word in
            identityWords.contains(String(word)) || identityStems.contains(where: word.hasPrefix)
        } || identityPhrases.contains { "-\(name)-".contains("-\($0)-") }
    }

    private static let identityWords: Set<String> = [
        "account", "acl", "actor", "caller", "claim", "claims", "cn", "dn", "email", "group", "groups", "jwt", "login",
        "mail", "member", "oidc", "openid", "org", "organisation", "organization", "owner", "permission", "permissions",
        "person", "persona", "principal", "role", "roles", "saml", "scope", "scopes", "sid", "sso", "sub", "subject",
        "sudo", "tenant", "tenantid", "uid", "upn", "verify", "workspace", "whoami",
    ]
    private static let identityStems = ["assert", "auth", "delegat", "identit", "impersonat", "user"]
    private static let identityPhrases = ["act-as", "as-user", "on-behalf", "run-as", "login-as"]

    private static let nameBytesMax = 128

    private struct Family {
        let reason: String
        let names: Set<String>
        let prefixes: [String]
    }

    private static let families = [
        Family(
            reason: "it is the connection's own",
            names: [
                "host", "connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "expect",
                "content-length", "http2-settings", "close", "alt-used",
            ], prefixes: ["proxy-"]),
        Family(
            reason: "answers come without a content coding, so that the gate can redact credentials in them",
            names: ["accept-encoding"], prefixes: []),
        Family(
            reason: "it states which host, path or client a request came from",
            names: [
                "forwarded", "via", "true-client-ip", "x-client-ip", "x-cluster-client-ip", "x-host", "x-http-host",
                "x-http-host-override", "x-host-override", "x-url-scheme", "x-scheme", "x-proxyuser-ip", "base-url",
                "x-waws-unencoded-url", "x-accel-redirect", "x-sendfile", "front-end-https",
                "fastly-client-ip", "client-ip", "x-azure-clientip", "x-azure-socketip",
            ],
            prefixes: [
                "x-forwarded", "x-forward-", "x-real-", "x-original", "x-originating-", "x-rewrite", "x-remote-",
                "x-envoy-", "x-arr-", "cf-", "x-override-",
            ]),
        Family(
            reason: "it states another method than the one that was judged",
            names: [
                "x-http-method", "x-http-method-override", "x-method-override", "x-method", "http-method-override",
            ], prefixes: []),
        Family(
            reason: "it states who the user or the client is",
            names: [
                "x-end-user-id", "x-run-id", "idempotency-key", "x-workspace-namespace", "remote-user", "x-user",
                "x-user-id", "x-user-email", "x-username", "x-email", "x-groups", "x-roles", "x-webauth-user",
                "x-consumer-id", "x-consumer-username", "x-goog-iap-jwt-assertion", "from",
            ],
            prefixes: [
                "sluice-", "x-sluice-", "x-auth-request-", "x-authenticated-", "x-authentik-", "x-goog-authenticated-",
                "x-appengine-", "x-amzn-oidc-", "x-amzn-mtls-", "x-ms-client-principal", "x-ms-token-", "tailscale-",
                "x-client-cert", "x-ssl-", "ssl-client-", "x-impersonate", "impersonate-", "x-end-user",
            ]),
        Family(
            reason: "it carries credentials, which the gate adds itself",
            names: [
                "authorization", "cookie", "cookie2", "set-cookie", "x-api-key", "api-key", "apikey", "x-auth-token",
                "x-access-token", "x-runagents-api-key", "x-goog-api-key", "x-vault-token", "private-token",
                "x-amz-security-token", "x-amz-date", "x-amz-content-sha256",
            ], prefixes: ["x-authorization"]),
    ]
}
