import CommandHandling
package import Domain
import EventStreaming
import Foundation
import Gateways
import Governance
import HTTPTypes
import Projections

/// A tool as it is stored: the documented shape, from the documented and from the flat form that every SDK sends.
package enum ToolDocument {
    static func name(_ body: JSONValue) throws(APIError) -> String { try body.requiredText("name") }

    /// The document of a body, or what is wrong with the body.
    package static func document(_ body: JSONValue) throws(APIError) -> JSONText {
        var secrets: [NamedSecret] = []
        return try document(body, &secrets)
    }

    /// The document of a body, and the credentials that came with it, which are not in the document.
    static func document(_ body: JSONValue, _ secrets: inout [NamedSecret]) throws(APIError) -> JSONText {
        secrets += try CredentialFields.given(body)
        let written = if let spec = try SpecMembers.tool.spec(of: body) { spec } else { try completedFlatSpec(body) }
        let given = try withoutAliases(written)
        try checkSpec(given)
        let spec = try withoutCredentials(given, &secrets)
        try checkAuthentication(spec)
        let complete = withDefaults(spec)
        try checkGovernance(complete)
        return JSONValue.object([.init(name: "spec", value: complete)]).text
    }

    /// Moves `topology` and `accessMode`, which answers repeat for published clients, to the documented members. These win
    /// where both are there: a client may have changed them in an answer that it sends back.
    private static func withoutAliases(_ spec: JSONValue) throws(APIError) -> JSONValue {
        guard case .object(let members) = spec else { return spec }
        let (topology, mode) = (try spec.text("topology"), try spec.text("accessMode"))
        var spec = JSONValue.object(members.filter { $0.name != "topology" && $0.name != "accessMode" })
        if let topology, var connection = try spec.object("connection"), try connection.text("topology") == nil {
            connection.set("topology", .string(topology))
            spec.set("connection", connection)
        }
        var governance = try spec.object("governance") ?? .object([])
        var access = try governance.object("accessControl") ?? .object([])
        if let mode, try access.text("mode") == nil {
            access.set("mode", .string(mode))
            governance.set("accessControl", access)
            spec.set("governance", governance)
        }
        return spec
    }

    /// Refuses an authentication that would fail each call. Published clients name OAuth2 before they give its endpoint.
    private static func checkAuthentication(_ spec: JSONValue) throws(APIError) {
        guard let document = try spec.object("connection")?.object("authentication") else { return }
        let config = document["oauth2Config"]
        let hasEndpoint = ["tokenUrl", "token_url"].contains { (config?[$0] ?? document[$0])?.string != nil }
        guard document["type"]?.string != "OAuth2" || hasEndpoint else { return }
        do throws(CredentialError) {
            try Authentication(document).checkUsable(allowsConsent: true)
        } catch {
            throw .badRequest("spec.connection.authentication: \(error.description)")
        }
    }

    /// A tool that governance cannot read could never be called.
    private static func checkGovernance(_ spec: JSONValue) throws(APIError) {
        do throws(InvalidDocument) {
            _ = try GovernedTool(name: "", spec: spec)
        } catch {
            throw .badRequest(error.message)
        }
    }

    /// The flat form with the members of a `spec` that stand beside it: what restricts a tool counts in every form.
    private static func completedFlatSpec(_ body: JSONValue) throws(APIError) -> JSONValue {
        var spec = try flatSpec(body)
        for member in SpecMembers.tool.others(of: body) where spec[member.name] == nil {
            spec.set(member.name, member.value)
        }
        // The name in answers.
        if spec["accessMode"] == nil, let mode = body["access_mode"] { spec.set("accessMode", mode) }
        return spec
    }

    /// The tool of a deploy's `tools_to_create`.
    static func flatSpec(_ body: JSONValue) throws(APIError) -> JSONValue {
        guard let name = try body.text("name"), let url = try body.text("base_url"), !name.isEmpty else {
            throw .badRequest("tool name and base_url are required")
        }
        try checkURL(url, "base_url")
        let auth = try body.text("auth_type") ?? "None"
        // Byte for byte: to Swift a K and the kelvin sign are the same character.
        guard ["None", "APIKey", "OAuth2"].contains(where: { $0.utf8.elementsEqual(auth.utf8) }) else {
            throw .badRequest("auth_type must be one of None, APIKey, OAuth2")
        }
        var connection: [JSONValue.Member] = [
            .init(name: "topology", value: .string(try body.text("topology") ?? "External")),
            .init(name: "baseUrl", value: .string(url)),
        ]
        if let port = try body.integer("port", in: 1...65_535) {
            connection.append(.init(name: "port", value: .number(String(port))))
        }
        if let scheme = try body.text("scheme") {
            guard ["HTTP", "HTTPS"].contains(scheme.uppercased()) else {
                throw .badRequest("scheme must be HTTP or HTTPS")
            }
            connection.append(.init(name: "scheme", value: .string(scheme.uppercased())))
        }
        connection.append(
            .init(name: "authentication", value: .object([.init(name: "type", value: .string(auth))])))
        var members: [JSONValue.Member] = []
        if let description = try body.text("description") {
            members.append(.init(name: "description", value: .string(description)))
        }
        members.append(.init(name: "connection", value: .object(connection)))
        return .object(members)
    }

    private static func checkSpec(_ spec: JSONValue) throws(APIError) {
        guard let connection = try spec.object("connection"), let url = try connection.text("baseUrl", "base_url")
        else {
            throw .badRequest("tool name and base_url are required")
        }
        try checkURL(url, "spec.connection.baseUrl")
        _ = try connection.integer("port", in: 1...65_535)
        try checkTypes(spec, connection)
    }

    /// What is stored is shown again: each known member has its type.
    private static func checkTypes(_ spec: JSONValue, _ connection: JSONValue) throws(APIError) {
        _ = try spec.text("description")
        _ = try spec.texts("riskTags")
        _ = try spec.object("governance")
        for name in ["topology", "scheme"] { _ = try connection.text(name) }
        _ = try connection.object("tls")
        if let authentication = try connection.object("authentication") {
            for name in ["type", "region", "service"] { _ = try authentication.text(name) }
            if let key = try authentication.object("apiKeyConfig") {
                for name in ["in", "name", "valuePrefix"] { _ = try key.text(name) }
                _ = try key.object("secretRef")?.text("name")
            }
            if let oauth = try authentication.object("oauth2Config") {
                for name in ["authUrl", "tokenUrl"] { _ = try oauth.text(name) }
                // One may be given as it is.
                if oauth["scopes"]?.string == nil { _ = try oauth.texts("scopes") }
                _ = try oauth.object("authParams")
                _ = try oauth.object("credentialsSecretRef")?.text("name")
            }
        }
        for capability in try spec.array("capabilities") ?? [] {
            guard case .object = capability else { throw .badRequest("capabilities must be an array of objects") }
            for name in ["name", "method", "path", "description"] { _ = try capability.text(name) }
            _ = try capability.texts("riskTags")
        }
    }

    /// Port and scheme follow the URL, else they are 443 and HTTPS.
    private static func withDefaults(_ spec: JSONValue) -> JSONValue {
        guard case .object(var members) = spec, let index = members.firstIndex(where: { $0.name == "connection" }),
            case .object(var connection) = members[index].value
        else { return spec }
        let url = members[index].value["baseUrl"]?.string.flatMap { URLComponents(string: $0) }
        let isPlain = url?.scheme?.lowercased() == "http"
        if members[index].value["port"] == nil {
            let port = url?.port ?? (isPlain ? 80 : 443)
            connection.append(.init(name: "port", value: .number(String(port))))
        }
        if members[index].value["scheme"] == nil {
            connection.append(.init(name: "scheme", value: .string(isPlain ? "HTTP" : "HTTPS")))
        }
        members[index] = .init(name: "connection", value: .object(connection))
        if spec["governance"] == nil {
            let mode = JSONValue.object([.init(name: "mode", value: .string("Restricted"))])
            members.append(.init(name: "governance", value: .object([.init(name: "accessControl", value: mode)])))
        }
        return .object(members)
    }

    /// Clients write credentials into `spec.connection.authentication` too.
    private static func withoutCredentials(
        _ spec: JSONValue, _ secrets: inout [NamedSecret]
    ) throws(APIError) -> JSONValue {
        guard let authentication = try spec.object("connection")?.object("authentication") else { return spec }
        let field = "spec.connection.authentication"
        let kept = try CredentialFields.extract(from: authentication, field, &secrets)
        return spec.replacing("connection") { $0.replacing("authentication") { _ in kept } }
    }
}
