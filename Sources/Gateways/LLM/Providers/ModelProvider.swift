package import Domain
package import Governance

/// What the gateway has to know of a model provider, read from its stored document.
package struct ModelProvider: Hashable, Sendable {
    /// Whom to ask when a provider fails.
    package struct Fallback: Hashable, Sendable {
        package let provider: String
        /// `nil` asks for the same model.
        package let model: String?
    }

    package let name: String
    /// `openai`, or the name of another; those that are none of the formats' speak OpenAI's.
    package let kind: String
    package let endpoint: String?
    package let models: [String]
    package let fallbacks: [Fallback]
    /// Calls a minute; `nil` sets no limit.
    package let requestsPerMinute: UInt64?
    let prices: ModelPrices
    let authentication: JSONValue?
    private let region: String?
    /// The API that the document names for responses: `responses` or `chat`.
    private let api: String?
    /// The addresses of Azure's API; `nil` for every other provider.
    private let azure: AzurePaths?
    /// Whether the document says, by `topology: Internal`, that the endpoint is on private addresses.
    package let isInternal: Bool

    package init(name: String, document: JSONValue) {
        let spec = document["spec"]
        self.name = name
        kind = spec?["provider"]?.string?.lowercased() ?? ""
        endpoint = spec?["endpoint"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        models = (spec?["models"]).strings
        fallbacks = (spec?["fallbacks"]?.elements ?? []).compactMap { fallback in
            fallback["provider"]?.string.map { Fallback(provider: $0, model: fallback["model"]?.string) }
        }
        requestsPerMinute = (spec?["rateLimit"]?["requestsPerMinute"]?.unsigned).flatMap { $0 > 0 ? $0 : nil }
        prices = ModelPrices(spec?["prices"], kind: kind)
        let auth = spec?["auth"]
        let awsConfig = Self.signing(auth)
        region = (spec?["region"] ?? awsConfig?["region"] ?? auth?["region"])?.string
        authentication = ProviderFormats.format(of: kind).authentication(auth, region: region)
        api = spec?["api"]?.string?.lowercased()
        azure = AzurePaths(kind: kind, version: spec?["apiVersion"]?.string)
        isInternal = spec?["topology"]?.string?.lowercased() == "internal"
    }

    /// Checks that calls can be authenticated in the way that the document says.
    package func checkAuthentication() throws(CredentialError) {
        try Authentication(authentication).checkUsable(allowsConsent: false)
    }

    /// Checks that the provider has an address: its own, or that of its format.
    package func checkEndpoint() throws(UnusableEndpoint) {
        // A model that is part of Sluice is at no address.
        if case .local = format.chat { return }
        guard endpoint == nil, format.endpoint(region: region) == nil else { return }
        throw UnusableEndpoint(
            "spec.endpoint is required for spec.provider \"\(kind.excerpt)\": \(format.endpointAdvice)")
    }

    /// The documented member of a signature's region and service, or the shorter name that clients send.
    static func signing(_ auth: JSONValue?) -> JSONValue? {
        auth?["awsSignatureConfig"]?.present ?? auth?["awsConfig"]?.present
    }

    /// The format that the provider speaks.
    package var format: any ProviderFormat { ProviderFormats.format(of: kind) }

    /// The values of `spec.api`.
    package static let apis = ["responses", "chat"]

    /// True when requests of that operation and their answers pass as they are.
    func passesOn(_ operation: LLMRequest.Operation) -> Bool {
        format.passedOn.contains(operation) && (operation != .responses || servesResponses)
    }

    /// True when the provider serves OpenAI's Responses itself: by its document, or because its endpoint is OpenAI's or
    /// Azure's. Others that speak OpenAI's format are asked for chat completions, which all of them serve.
    package var servesResponses: Bool {
        guard format.passedOn.contains(.responses) else { return false }
        if let api { return api == "responses" }
        guard let url = try? url(LLMRequest.Operation.responses.rawValue) else { return false }
        let host = url.host.lowercased()
        let isAzure = host.hasSuffix(".openai.azure.com") || host.hasSuffix(".services.ai.azure.com")
        return host == "api.openai.com" || host.hasSuffix(".api.openai.com")
            || isAzure && url.path.hasSuffix("/openai/v1/responses")
    }

    /// The path of a call of a model below the provider's base.
    func callPath(_ operationPath: String, of model: String) -> String {
        azure?.callPath(operationPath, of: model, below: endpoint) ?? operationPath
    }

    /// Where an operation of the provider's is asked for. An endpoint that is a host alone gets the path that the
    /// format has; one with a path is a base.
    package func url(_ operationPath: String) throws(UnusableEndpoint) -> NormalizedURL {
        let format = format
        guard let text = endpoint ?? format.endpoint(region: region) else {
            throw UnusableEndpoint("model provider \"\(name)\" has no spec.endpoint: \(format.endpointAdvice)")
        }
        do throws(InvalidURL) {
            let base = try NormalizedURL(text)
            var path = base.path[...]
            while path.hasSuffix("/") { path.removeLast() }
            for operation in format.operationPaths where path.hasSuffix(operation) {
                path.removeLast(operation.count)
            }
            let isBase = path.isEmpty || format.isVersionedBelowPath && !Self.isVersioned(path)
            let query = (azure?.query(base.query, path: String(path)) ?? base.query).map {
                (operationPath.contains("?") ? "&" : "?") + $0
            }
            return try NormalizedURL(
                base.origin + path + (isBase ? format.basePath : "") + "/" + operationPath + (query ?? ""))
        } catch {
            throw UnusableEndpoint("model provider \"\(name)\": spec.endpoint \(error.reason)")
        }
    }

    /// True when the last part of the path is a version, as in `/anthropic/v1`.
    private static func isVersioned(_ path: Substring) -> Bool {
        let last = path.split(separator: "/").last ?? ""
        return last.first == "v" && last.dropFirst().first?.isNumber == true
    }

    /// Chooses whom to ask: of those that list the model, the first by name.
    package static func choice(for model: String, named name: String?, of providers: [ModelProvider]) -> ModelProvider?
    {
        providers.filter { provider in
            provider.models.contains(model) && (name == nil || provider.name == name)
        }.min { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }
}

/// Why a provider cannot be called where its document says.
package struct UnusableEndpoint: Error, Hashable, Sendable {
    package let reason: String

    init(_ reason: String) { self.reason = reason }
}
