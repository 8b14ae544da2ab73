import Domain
import EventStreaming
import Gateways
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
        /// True for the name of a model that a model provider answers for.
        var providesModel: @Sendable (String) -> Bool = { _ in true }

        /// Adds a model provider that is about to be stored, for whatever model it may list.
        mutating func insert(modelProvider name: String, _ document: JSONValue) {
            modelProviders.insert(name)
            if let kind = (document["spec"]?["provider"] ?? document["provider"])?.string {
                providerKinds.insert(kind.lowercased())
            }
            providesModel = { _ in true }
        }
    }

    private let policies: [String]
    private let tools: [String]
    private let identityProviders: [String]
    private let modelProviders: [String]
    private let models: [String]
    private let artifact: String?
    private let entryPoint: String?
    /// The reason why the agent's code would not be run.
    let refusal: String?
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
        (modelProviders, models) = Self.missingModels(document, known)
        artifact = Self.missingArtifact(document)
        entryPoint = Self.missingEntryPoint(document)
        let isNamed = document["entry_point"]?.string?.isEmpty == false
        refusal = isNamed ? nil : FoundStart(document[FoundStart.member])?.refusal
    }

    /// The same names by kind, in one line; `nil` when nothing is missing.
    var summary: String? {
        let texts = kinds.flatMap { kind in kind.names.map { "\(kind.word) \"\($0.excerpt)\"" } }
        return texts.isEmpty ? nil : "missing: " + texts.joined(separator: ", ")
    }

    /// By kind; `nil` when nothing is missing.
    var missing: JSONText? {
        let kinds = kinds
        guard !kinds.isEmpty else { return nil }
        return .object { json in for kind in kinds { json.add(kind.member, kind.names) } }
    }

    private var kinds: [(member: String, word: String, names: [String])] {
        let entryPoint = entryPoint ?? refusal.map { _ in Self.unnamedEntryPoint }
        return [
            ("policies", "policy", policies), ("tools", "tool", tools),
            ("model_providers", "model provider", modelProviders), ("models", "model", models),
            ("identity_providers", "identity provider", identityProviders),
            ("artifacts", "artifact", [artifact].compactMap(\.self)),
            ("entry_point", "entry point", [entryPoint].compactMap(\.self)),
        ].filter { !$0.names.isEmpty }
    }

    /// In the place of an entry point that nothing names: what the code would have to define.
    private static let unnamedEntryPoint = "handler"

    /// The same in sentences, with their consequences.
    var warnings: [String] {
        var warnings: [String] = []
        if boundPolicies.isEmpty {
            warnings.append(
                "no policy is bound to this agent: the access mode of each tool alone decides on its calls")
        }
        warnings += tools.map { "tool \"\($0)\" not found: calls to it are denied until it is registered" }
        warnings += policies.map { "policy \"\($0)\" not found: every call of a tool is denied until it is stored" }
        warnings += modelProviders.map { "model provider \"\($0)\" not found: calls to its models fail" }
        warnings += identityProviders.map { "identity provider \"\($0)\" not found: invokes are refused" }
        warnings += models.map {
            "model \"\($0)\" is provided by no model provider: calls to it are answered 404 until one lists it"
        }
        if let artifact {
            warnings.append("artifact \"\(artifact)\" is no build of this workspace: there is nothing to run")
        }
        if let entryPoint { warnings.append("entry_point \(entryPoint) is not among the source_files") }
        if let refusal { warnings.append(refusal) }
        return warnings
    }

    func add(to json: inout JSONObject) {
        json.add("missing", missing)
        if !warnings.isEmpty { json.add("warnings", warnings) }
    }

    /// The providers that are not there, and the models of other ones that no provider answers for.
    private static func missingModels(
        _ document: JSONValue, _ known: Known
    ) -> (providers: [String], models: [String]) {
        var (providers, models): ([String], [String]) = ([], [])
        for configuration in AgentModels.configurations(of: document) {
            let provider = configuration["provider"]?.string
            let isKnownKind = provider.map { known.providerKinds.contains($0.lowercased()) } ?? true
            let names = [configuration["model_provider"]?.string, isKnownKind ? nil : provider].compactMap(\.self)
            let missing = names.filter { !$0.isEmpty && !known.modelProviders.contains($0) }
            providers += missing.filter { !providers.contains($0) }
            guard missing.isEmpty, let model = configuration["model"]?.string, !model.isEmpty,
                !models.contains(model), !known.providesModel(model)
            else { continue }
            models.append(model)
        }
        return (providers, models)
    }

    /// The artifact of an agent that has nothing of it: such a deploy was accepted by earlier releases.
    private static func missingArtifact(_ document: JSONValue) -> String? {
        if case .object(let files)? = document["source_files"], !files.isEmpty { return nil }
        guard document["spec"]?["image"]?.string == nil, document["invoke_url"]?.string == nil else { return nil }
        return document["artifact_id"]?.string
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
        known.providesModel = try await dependencies.models.providesModel(in: request.workspace, from: projections)
        for provider in try await projections.resources(.modelProvider, in: request.workspace) {
            known.modelProviders.insert(provider.name)
            if let kind = provider.document.value["spec"]?["provider"]?.string {
                known.providerKinds.insert(kind.lowercased())
            }
        }
        return known
    }
}
