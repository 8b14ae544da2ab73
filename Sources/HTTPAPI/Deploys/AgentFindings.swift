import Domain
import EventStreaming
import Projections

/// The names in an agent's document that the workspace does not have, and warnings about its governance.
struct AgentFindings: Sendable {
    /// The names that a workspace has.
    struct Known: Sendable {
        var policies: Set<String> = []
        var tools: Set<String> = []
        var identityProviders: Set<String> = []
        var modelProviders: Set<String> = []
        /// The kinds of model providers, in lower case.
        var providerKinds: Set<String> = []
    }

    private let policies: [String]
    private let tools: [String]
    private let identityProviders: [String]
    private let modelProviders: [String]
    private let entryPoint: String?
    private let boundPolicies: [String]

    init(_ document: JSONValue, _ known: Known) {
        boundPolicies = document["policies"].strings
        policies = boundPolicies.filter { !known.policies.contains($0) }
        var named = (document["spec"]?["requiredTools"]).elements.compactMap { $0["name"]?.string ?? $0.string }
        if case .object(let mappings)? = document["tool_url_mappings"] {
            named += mappings.compactMap(\.value.string).filter { !named.contains($0) }
        }
        tools = named.filter { !known.tools.contains($0) }
        identityProviders = [document["identity_provider"]?.string].compactMap(\.self).filter {
            !known.identityProviders.contains($0)
        }
        modelProviders = Self.missingProviders(document, known)
        entryPoint = Self.missingEntryPoint(document)
    }

    /// By kind; `nil` when nothing is missing.
    var missing: JSONText? {
        let kinds = [
            ("policies", policies), ("tools", tools), ("model_providers", modelProviders),
            ("identity_providers", identityProviders), ("entry_point", [entryPoint].compactMap(\.self)),
        ].filter { !$0.1.isEmpty }
        guard !kinds.isEmpty else { return nil }
        return .object { json in for (name, names) in kinds { json.add(name, names) } }
    }

    /// The same in sentences, with their consequences.
    var warnings: [String] {
        var warnings: [String] = []
        if boundPolicies.isEmpty {
            warnings.append(
                "no policy is bound to this agent: the access mode of each tool alone decides on its calls")
        }
        warnings += policies.map { "policy \"\($0)\" not found: it binds nothing until it is stored" }
        warnings += tools.map { "tool \"\($0)\" not found: calls to it are denied until it is registered" }
        warnings += modelProviders.map { "model provider \"\($0)\" not found: calls to its models fail" }
        warnings += identityProviders.map { "identity provider \"\($0)\" not found: invokes are refused" }
        if let entryPoint { warnings.append("entry_point \(entryPoint) is not among the source_files") }
        return warnings
    }

    func add(to json: inout JSONObject) {
        json.add("missing", missing)
        if !warnings.isEmpty { json.add("warnings", warnings) }
    }

    private static func missingProviders(_ document: JSONValue, _ known: Known) -> [String] {
        var missing: [String] = []
        for configuration in AgentModels.configurations(of: document) {
            let provider = configuration["provider"]?.string
            let isKnownKind = provider.map { known.providerKinds.contains($0.lowercased()) } ?? true
            let names = [configuration["model_provider"]?.string, isKnownKind ? nil : provider].compactMap(\.self)
            missing += names.filter { !$0.isEmpty && !known.modelProviders.contains($0) && !missing.contains($0) }
        }
        return missing
    }

    private static func missingEntryPoint(_ document: JSONValue) -> String? {
        guard case .object(let files)? = document["source_files"], !files.isEmpty,
            let entry = document["entry_point"]?.string, !entry.isEmpty
        else { return nil }
        let path = entry.hasSuffix(".py") ? entry : entry.split(separator: ".").joined(separator: "/") + ".py"
        let package = path.dropLast(3) + "/__init__.py"
        return files.contains { $0.name == path || $0.name == package } ? nil : entry
    }
}

extension APIHandlers {
    /// The names that agents of the workspace may refer to.
    func knownNames(_ request: APIRequest) async throws -> AgentFindings.Known {
        var known = AgentFindings.Known()
        known.policies = Set(try await projections.resourceNames(.policy, in: request.workspace))
        known.tools = Set(try await projections.resourceNames(.tool, in: request.workspace))
        known.identityProviders = Set(try await projections.resourceNames(.identityProvider, in: request.workspace))
        for provider in try await projections.resources(.modelProvider, in: request.workspace) {
            known.modelProviders.insert(provider.name)
            if let kind = provider.document.value["spec"]?["provider"]?.string {
                known.providerKinds.insert(kind.lowercased())
            }
        }
        return known
    }
}
