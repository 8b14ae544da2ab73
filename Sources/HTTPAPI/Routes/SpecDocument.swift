import CommandHandling
package import Domain
import EventStreaming
import Gateways
import Governance
import HTTPTypes
import Projections

/// Policies and model providers as they are stored: the `spec` as it came, its known members checked.
package enum SpecDocument {
    /// Names that would hide behind a path of the API.
    static let reservedPolicyNames: Set<String> = ["backtest", "explain", "translate"]

    /// The document of a body, or what is wrong with the body.
    package static func document(_ kind: ResourceKind, _ body: JSONValue) throws(APIError) -> JSONText {
        var secrets: [NamedSecret] = []
        return try document(kind, body, &secrets)
    }

    /// The document of a body, and the credentials that came with it, which are not in the document.
    static func document(
        _ kind: ResourceKind, _ body: JSONValue, _ secrets: inout [NamedSecret]
    ) throws(APIError) -> JSONText {
        let members: SpecMembers = kind == .policy ? .policy : .modelProvider
        guard var spec = try members.spec(of: body) else { throw .badRequest("spec is required") }
        if kind == .policy {
            try checkPolicy(spec)
        } else {
            secrets += try CredentialFields.given(body)
            spec = try checkedProvider(spec, &secrets)
        }
        return JSONValue.object([.init(name: "spec", value: spec)]).text
    }

    private static func checkPolicy(_ spec: JSONValue) throws(APIError) {
        do throws(InvalidDocument) {
            _ = try Policy(spec: spec)
        } catch {
            throw .badRequest(error.message)
        }
        // Not a rule of the policy itself: one that was stored with another word has to go on deciding.
        guard case .array(let approvals)? = spec["approvals"] else { return }
        for (index, approval) in approvals.enumerated() {
            guard let mode = approval["delivery"]?["mode"]?.string, !mode.isEmpty else { continue }
            guard ConnectorDefaults.Mode(rawValue: mode) != nil else {
                let known = ConnectorDefaults.Mode.allCases.map(\.rawValue).joined(separator: ", ")
                throw .badRequest("spec.approvals[\(index)].delivery.mode must be one of \(known)")
            }
        }
    }

    /// The provider's spec without the credentials in it.
    private static func checkedProvider(
        _ spec: JSONValue, _ secrets: inout [NamedSecret]
    ) throws(APIError) -> JSONValue {
        _ = try spec.requiredText("provider")
        if let endpoint = try spec.text("endpoint") { try checkURL(endpoint, "spec.endpoint") }
        _ = try spec.texts("models")
        _ = try spec.text("apiVersion")
        if let limit = try spec.object("rateLimit") {
            _ = try limit.integer("requestsPerMinute", in: 0...1_000_000)
        }
        if let fallbacks = spec["fallbacks"], fallbacks != .null {
            guard case .array(let fallbacks) = fallbacks else { throw .badRequest("fallbacks must be an array") }
            for fallback in fallbacks {
                _ = try fallback.requiredText("provider")
                _ = try fallback.text("model")
            }
        }
        if let api = try spec.text("api"), !ModelProvider.apis.contains(api) {
            throw .badRequest("spec.api must be \(ModelProvider.apis.joined(separator: " or "))")
        }
        do throws(InvalidPrices) {
            try ModelPrices.check(spec["prices"])
        } catch {
            let separator = error.message.hasPrefix("[") ? "" : " "
            throw .badRequest("spec.prices\(separator)\(error.message)")
        }
        let auth = try spec.object("auth")
        _ = try auth?.text("type")
        let provider = ModelProvider(name: "", document: .object([.init(name: "spec", value: spec)]))
        do throws(UnusableEndpoint) {
            try provider.checkEndpoint()
        } catch {
            throw .badRequest(error.reason)
        }
        guard let auth else { return spec }
        do throws(CredentialError) {
            try provider.checkAuthentication()
        } catch {
            throw .badRequest("spec.auth: \(error.description)")
        }
        let kept = try CredentialFields.extract(from: auth, "spec.auth", &secrets)
        return spec.replacing("auth") { _ in kept }
    }
}
