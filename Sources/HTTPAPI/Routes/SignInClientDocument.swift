import Domain
import Governance

/// The client of an identity provider's `spec.identityProvider`, by which people sign in with their browser, taken
/// apart: the members that are stored as they came, and the secret that is sealed.
struct SignInClientDocument {
    private static let field = "spec.identityProvider"
    private static let authentications = ["client_secret_basic", "client_secret_post", "none"]

    private(set) var members: [JSONValue.Member] = []
    private(set) var secret: NamedSecret?

    init(_ settings: JSONValue?, _ body: JSONValue) throws(APIError) {
        guard let settings else { return }
        secret = try Self.secret(settings, body)
        let id = try Self.read { () throws(APIError) in try settings.text("clientId", "client_id") }
        if let id { members.append(.init(name: "clientId", value: .string(try Self.plain(id, "clientId")))) }
        try addScopes(settings)
        try addEndpoints(settings, isUsed: id != nil)
        try addAuthentication(settings)
        guard id != nil || members.isEmpty && secret == nil else {
            throw .badRequest(
                "\(Self.field).clientId is required with \(members.first?.name ?? "clientSecret"): send it, or leave that out"
            )
        }
    }

    private mutating func addAuthentication(_ settings: JSONValue) throws(APIError) {
        let authentication = try Self.read { () throws(APIError) in
            try settings.text("clientAuthentication", "client_authentication")
        }
        guard let authentication else { return }
        guard Self.authentications.contains(authentication) else {
            throw .badRequest(
                "\(Self.field).clientAuthentication must be one of \(Self.authentications.joined(separator: ", "))")
        }
        members.append(.init(name: "clientAuthentication", value: .string(authentication)))
    }

    private static func secret(_ settings: JSONValue, _ body: JSONValue) throws(APIError) -> NamedSecret? {
        let given = try CredentialFields.given(body)
        guard given.allSatisfy({ $0.name == "client_secret" }) else {
            throw .badRequest("credentials of an identity provider are client_secret alone")
        }
        let inSettings = try read { () throws(APIError) in try settings.text("clientSecret", "client_secret") }
        guard let inSettings else { return given.first }
        return try NamedSecret("client_secret", inSettings)
    }

    private mutating func addScopes(_ settings: JSONValue) throws(APIError) {
        guard let scopes = try Self.read({ () throws(APIError) in try settings.texts("scopes") }) else { return }
        guard scopes.count <= 32, scopes.contains("openid"),
            scopes.allSatisfy({
                (1...128).contains($0.utf8.count) && $0.utf8.allSatisfy { byte in (0x21...0x7e).contains(byte) }
            })
        else {
            throw .badRequest("\(Self.field).scopes must be at most 32 names without spaces, openid among them")
        }
        members.append(.init(name: "scopes", value: .array(scopes.map(JSONValue.string))))
    }

    /// Both endpoints are named, or the issuer's discovery document has those that are not.
    private mutating func addEndpoints(_ settings: JSONValue, isUsed: Bool) throws(APIError) {
        var isComplete = true
        for names in [("authorizationEndpoint", "authorization_endpoint"), ("tokenEndpoint", "token_endpoint")] {
            guard let url = try Self.read({ () throws(APIError) in try settings.text(names.0, names.1) }) else {
                isComplete = false
                continue
            }
            try Self.check(url, names.0)
            members.append(.init(name: names.0, value: .string(url)))
        }
        if isUsed, !isComplete, let issuer = settings["issuer"]?.string { try Self.check(issuer, "issuer") }
    }

    private static func check(_ url: String, _ name: String) throws(APIError) {
        try checkURL(url, "\(field).\(name)")
        do throws(InvalidURL) { _ = try NormalizedURL(url) } catch {
            throw .badRequest("\(field).\(name) \(error.reason)")
        }
    }

    private static func plain(_ text: String, _ name: String) throws(APIError) -> String {
        guard text.utf8.count <= 1024, !text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) else {
            throw .badRequest("\(field).\(name) must have at most 1024 bytes and no control characters")
        }
        return text
    }

    /// Names the member by its whole path in a refusal.
    private static func read<Value>(_ read: () throws(APIError) -> Value?) throws(APIError) -> Value? {
        do throws(APIError) { return try read() } catch { throw .badRequest("\(field).\(error.message)") }
    }
}

extension JSONValue {
    /// The member `identityProvider` of a spec, by its documented name or in snake case.
    var identityProvider: JSONValue? { self["identityProvider"] ?? self["identity_provider"] }
}
