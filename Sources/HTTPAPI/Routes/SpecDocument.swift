import CommandHandling
package import Domain
import EventStreaming
import Governance
import HTTPTypes
import Projections

/// Policies and model providers as they are stored: the `spec` as it came, its known members checked.
package enum SpecDocument {
    /// Names that would hide behind a path of the API.
    static let reservedPolicyNames: Set<String> = ["explain", "translate"]

    /// The document of a body, or what is wrong with the body.
    package static func document(_ kind: ResourceKind, _ body: JSONValue) throws(APIError) -> JSONText {
        guard let spec = try body.object("spec") else { throw .badRequest("spec is required") }
        if kind == .policy {
            try checkPolicy(spec)
        } else {
            try checkProvider(spec)
        }
        return JSONValue.object([.init(name: "spec", value: spec)]).text
    }

    private static func checkPolicy(_ spec: JSONValue) throws(APIError) {
        do throws(InvalidDocument) {
            _ = try Policy(spec: spec)
        } catch {
            throw .badRequest(error.message)
        }
    }

    private static func checkProvider(_ spec: JSONValue) throws(APIError) {
        _ = try spec.requiredText("provider")
        if let endpoint = try spec.text("endpoint") { try checkURL(endpoint, "spec.endpoint") }
        _ = try spec.texts("models")
        if case .object(let members)? = try spec.object("auth") {
            for member in members where ["apiKey", "api_key", "secret", "token", "clientSecret"].contains(member.name) {
                throw .badRequest(
                    "spec.auth.\(member.name) is refused: this version has no sealed secrets; leave it out")
            }
        }
    }
}
