package import Domain
package import Governance

/// What the gateway has to know of a model provider, read from its stored document.
package struct ModelProvider: Hashable, Sendable {
    /// Providers whose own formats are not spoken yet.
    private static let untranslated: Set<String> = ["anthropic", "bedrock", "ollama"]
    private static let openAIEndpoint = "https://api.openai.com/v1"

    package let name: String
    /// `openai`, or the name of another whose endpoint speaks OpenAI's format.
    package let kind: String
    package let endpoint: String?
    package let models: [String]
    let authentication: JSONValue?
    /// Whether the document says, by `topology: Internal`, that the endpoint is on private addresses.
    package let isInternal: Bool

    let prices: ModelPrices

    package init(name: String, document: JSONValue) {
        let spec = document["spec"]
        self.name = name
        kind = spec?["provider"]?.string?.lowercased() ?? ""
        endpoint = spec?["endpoint"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        models = if case .array(let models)? = spec?["models"] { models.compactMap(\.string) } else { [] }
        authentication = spec?["auth"]
        isInternal = spec?["topology"]?.string?.lowercased() == "internal"
        prices = ModelPrices(spec?["prices"])
    }

    package var speaksOpenAI: Bool { !Self.untranslated.contains(kind) }

    /// Where an operation is asked for. An endpoint that is a host alone gets OpenAI's `/v1`; one with a path is a base.
    package func url(of operation: LLMRequest.Operation) throws(UnusableEndpoint) -> NormalizedURL {
        guard let text = endpoint ?? (kind == "openai" ? Self.openAIEndpoint : nil) else {
            throw UnusableEndpoint("model provider \"\(name)\" has no spec.endpoint: store it with one")
        }
        do throws(InvalidURL) {
            let base = try NormalizedURL(text)
            var path = base.path[...]
            while path.hasSuffix("/") { path.removeLast() }
            for operation in LLMRequest.Operation.allCases where path.hasSuffix("/" + operation.rawValue) {
                path.removeLast(operation.rawValue.count + 1)
            }
            if path.isEmpty { path = "/v1" }
            return try NormalizedURL(
                base.origin + path + "/" + operation.rawValue + (base.query.map { "?" + $0 } ?? ""))
        } catch {
            throw UnusableEndpoint("model provider \"\(name)\": spec.endpoint \(error.reason)")
        }
    }

    /// Chooses whom to ask: of those that list the model, the first by name whose format is spoken, else the first.
    package static func choice(for model: String, named name: String?, of providers: [ModelProvider]) -> ModelProvider?
    {
        let listing = providers.filter { provider in
            provider.models.contains(model) && (name == nil || provider.name == name)
        }.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        return listing.first(where: \.speaksOpenAI) ?? listing.first
    }
}

/// Why a provider cannot be called where its document says.
package struct UnusableEndpoint: Error, Hashable, Sendable {
    package let reason: String

    init(_ reason: String) { self.reason = reason }
}
