package import Domain
import Governance
import HTTPTypes

/// An identity provider as it is stored: the members that are known, by the documented names, from these and from the
/// names in snake case that some clients send.
package enum IdentityProviderDocument {
    private static let textBytesMax = 1024
    private static let audiencesMax = 64
    private static let domainsMax = 256
    private static let roles: [Role] = [.approver, .viewer, .operator]

    /// The document of a body, or what is wrong with the body.
    package static func document(_ body: JSONValue) throws(APIError) -> JSONText {
        var secrets: [NamedSecret] = []
        return try document(body, &secrets)
    }

    /// The document of a body, and the client's secret that came with it, which is not in the document.
    static func document(_ body: JSONValue, _ secrets: inout [NamedSecret]) throws(APIError) -> JSONText {
        guard let given = try SpecMembers.identityProvider.spec(of: body) else { throw .badRequest("spec is required") }
        var spec: [JSONValue.Member] = []
        func add(_ name: String, _ value: JSONValue?) {
            if let value { spec.append(.init(name: name, value: value)) }
        }
        add("host", .string(try text(given, "spec", "host")))
        let settings = try settings(given)
        let client = try SignInClientDocument(given.identityProvider, body)
        if let secret = client.secret { secrets.append(secret) }
        add("identityProvider", .object(settings.members + client.members))
        add("userIDClaim", .string(try text(given, "spec", "userIDClaim", "userIdClaim", "user_id_claim")))
        add("allowedDomains", try domains(given).map { .array($0.map(JSONValue.string)) })
        add("groupsClaim", try optionalText(given, "spec", ["groupsClaim", "groups_claim"]).map(JSONValue.string))
        let role = try role(given)
        guard role == nil || settings.hasAudience else {
            throw .badRequest(
                "spec.identityProvider.audiences is required with spec.role: any token of the issuer would sign in")
        }
        add("role", role.map { .string($0.rawValue) })
        add("topology", try topology(given).map(JSONValue.string))
        let leeway = try first(["leeway_seconds"], "spec") { (name) throws(APIError) in
            try given.integer(name, in: 0...300)
        }
        add("leeway_seconds", leeway.map { .number(String($0)) })
        return JSONValue.object([.init(name: "spec", value: .object(spec))]).text
    }

    private static func settings(
        _ spec: JSONValue
    ) throws(APIError) -> (members: [JSONValue.Member], hasAudience: Bool) {
        let field = "spec.identityProvider"
        let given = try first(["identityProvider", "identity_provider"], "spec", spec.object)
        guard let given else { throw .badRequest("\(field) is required") }
        let issuer = try text(given, field, "issuer")
        let keysURL = try text(given, field, "jwksUri", "jwksURI", "jwks_uri")
        try checkURL(keysURL, "\(field).jwksUri")
        do throws(InvalidURL) { _ = try NormalizedURL(keysURL) } catch {
            throw .badRequest("\(field).jwksUri \(error.reason)")
        }
        let audiences = try first(["audiences"], field, given.texts)
        guard audiences.map({ $0.count <= audiencesMax && $0.allSatisfy(isPlain) }) ?? true else {
            throw .badRequest("\(field).audiences must be at most \(audiencesMax) texts of 1 to \(textBytesMax) bytes")
        }
        var members: [JSONValue.Member] = [
            .init(name: "issuer", value: .string(issuer)), .init(name: "jwksUri", value: .string(keysURL)),
        ]
        if let audiences {
            members.append(.init(name: "audiences", value: .array(audiences.map(JSONValue.string))))
        }
        return (members, audiences?.isEmpty == false)
    }

    /// `example.com`, also written `@example.com`.
    private static func domains(_ spec: JSONValue) throws(APIError) -> [String]? {
        let given = try first(["allowedDomains", "allowed_domains"], "spec", spec.texts)
        guard let given else { return nil }
        let domains = given.map { $0.hasPrefix("@") ? String($0.dropFirst()) : $0 }
        guard domains.count <= domainsMax, domains.allSatisfy({ isPlain($0) && !$0.contains("@") && !$0.contains(" ") })
        else {
            throw .badRequest("spec.allowedDomains must be at most \(domainsMax) domains such as example.com")
        }
        return domains
    }

    private static func role(_ spec: JSONValue) throws(APIError) -> Role? {
        guard let name = try optionalText(spec, "spec", ["role"]) else { return nil }
        guard let role = roles.first(where: { $0.rawValue.utf8.elementsEqual(name.utf8) }) else {
            throw .badRequest("spec.role must be one of \(roles.map(\.rawValue).joined(separator: ", "))")
        }
        return role
    }

    private static func topology(_ spec: JSONValue) throws(APIError) -> String? {
        guard let name = try optionalText(spec, "spec", ["topology"]) else { return nil }
        guard let known = ["Internal", "External"].first(where: { $0.lowercased() == name.lowercased() }) else {
            throw .badRequest("spec.topology must be Internal or External")
        }
        return known
    }

    private static func text(_ value: JSONValue, _ field: String, _ names: String...) throws(APIError) -> String {
        guard let text = try optionalText(value, field, names) else {
            throw .badRequest("\(field).\(names[0]) is required")
        }
        return text
    }

    /// The text at the first of the names that is there.
    private static func optionalText(
        _ value: JSONValue, _ field: String, _ names: [String]
    ) throws(APIError) -> String? {
        let text = try first(names, field) { (name) throws(APIError) in try value.text(name) }
        guard text.map(isPlain) ?? true else {
            throw .badRequest("\(field).\(names[0]) must have at most \(textBytesMax) bytes and no control characters")
        }
        return text
    }

    private static func isPlain(_ text: String) -> Bool {
        (1...textBytesMax).contains(text.utf8.count) && !text.utf8.contains { $0 < 0x20 || $0 == 0x7f }
    }

    /// The first of the members that is there; what is wrong with one is said by its whole path.
    private static func first<Value>(
        _ names: [String], _ field: String, _ read: (String) throws(APIError) -> Value?
    ) throws(APIError) -> Value? {
        for name in names {
            do throws(APIError) { if let value = try read(name) { return value } } catch {
                throw .badRequest("\(field).\(error.message)")
            }
        }
        return nil
    }
}
