import Domain
import Gateways
import Governance

/// The origins (scheme, host and port) that a resource's secrets are sent to, by the member that names each.
///
/// Secrets stay with their origins: a resource that names another one needs its secrets again, and people's consents
/// end. Tools, model providers, identity providers and connectors are held against the same rule.
struct SecretOrigins: Hashable, Sendable {
    private(set) var byMember: [String: String] = [:]
    /// The names of the secrets that its way of authentication uses; `nil` when it names none, so that none is given up
    /// unnoticed.
    private(set) var used: Set<String>?

    /// - Parameter endpoint: the URL of a resource that has one and no more.
    init(endpoint: String) {
        add("endpoint", endpoint)
    }

    /// - Parameter kind: a kind of which resources have credentials.
    init(_ kind: ResourceKind, name: String, document: JSONValue) {
        let spec = document["spec"]
        switch kind {
        case .tool:
            let connection = spec?["connection"]
            add("spec.connection.baseUrl", (connection?["baseUrl"] ?? connection?["base_url"])?.string)
            add(authentication: connection?["authentication"], "spec.connection.authentication")
        case .modelProvider:
            let provider = ModelProvider(name: name, document: document)
            add("spec.endpoint", (try? provider.url("models"))?.text ?? provider.endpoint, spelled: provider.endpoint)
            add(authentication: spec?["auth"], "spec.auth")
        case .identityProvider:
            let settings = spec?["identityProvider"]
            for member in ["issuer", "authorizationEndpoint", "tokenEndpoint"] {
                add("spec.identityProvider.\(member)", settings?[member]?.string)
            }
            used = settings?["clientId"] == nil ? [] : ["client_secret"]
        case .agent, .policy, .deployDraft, .settings, .approvalConnector, .modelAlias: break
        }
    }

    /// The members that name an origin which the secrets were not stored for.
    func moved(from old: SecretOrigins) -> [String] {
        byMember.filter { old.byMember[$0.key] != $0.value }.map(\.key).sorted()
    }

    /// The refusal of a request that names another origin without the secrets.
    static func refusal(_ members: [String], secrets names: [String]) -> APIError {
        let isOne = members.count == 1
        return .badRequest(
            "\(members.joined(separator: " and ")) \(isOne ? "has" : "have") another origin (scheme, host or port) than "
                + "before: send \(names.joined(separator: ", ")) again with the request, so that what is stored goes "
                + "nowhere else")
    }

    private mutating func add(authentication document: JSONValue?, _ field: String) {
        guard let authentication = try? Authentication(document) else { return }
        switch authentication {
        case .none: break
        case .apiKey: used = ["api_key"]
        case .oauth2(let tokenURL, _, _, _):
            used = ["client_id", "client_secret"]
            add("\(field).oauth2Config.tokenUrl", tokenURL)
        case .userOAuth2(let authorization):
            used = ["client_id", "client_secret"]
            add("\(field).oauth2Config.tokenUrl", authorization.tokenURL)
            add("\(field).oauth2Config.authUrl", authorization.pageURL)
        case .awsSignature: used = ["access_key_id", "secret_access_key", "session_token"]
        }
    }

    /// A URL that cannot be read stands for itself; a host with a dot at its end is not the one without it.
    ///
    /// - Parameter spelling: the URL as the document has it, where `url` is made of it.
    private mutating func add(_ member: String, _ url: String?, spelled spelling: String? = nil) {
        guard let url else { return }
        guard let normalized = try? NormalizedURL(url) else { return byMember[member] = url }
        let hasFinalDot = (try? NormalizedURL(spelling ?? url))?.hasFinalDot ?? false
        byMember[member] = normalized.origin + (hasFinalDot ? "." : "")
    }
}
