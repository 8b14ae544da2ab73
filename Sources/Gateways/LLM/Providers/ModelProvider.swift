package import Domain
package import Governance

/// What the gateway has to know of a model provider, read from its stored document.
package struct ModelProvider: Hashable, Sendable {
    private static let openAIEndpoint = "https://api.openai.com/v1"

    /// Whom to ask when a provider fails.
    package struct Fallback: Hashable, Sendable {
        package let provider: String
        /// `nil` asks for the same model.
        package let model: String?
    }

    package let name: String
    /// `openai`, or the name of another; those that are none of the formats' speak OpenAI's.
    package let kind: String
    package let format: ModelFormat
    package let endpoint: String?
    package let models: [String]
    package let fallbacks: [Fallback]
    /// Calls a minute; `nil` sets no limit.
    package let requestsPerMinute: UInt64?
    let prices: ModelPrices
    let authentication: JSONValue?
    private let region: String?
    /// Where Azure's API is asked; `nil` for every other provider.
    private let azure: AzurePaths?
    /// Whether the document says, by `topology: Internal`, that the endpoint is on private addresses.
    package let isInternal: Bool

    package init(name: String, document: JSONValue) {
        let spec = document["spec"]
        self.name = name
        kind = spec?["provider"]?.string?.lowercased() ?? ""
        format = ModelFormat(kind: kind)
        endpoint = spec?["endpoint"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        models = (spec?["models"]).strings
        fallbacks = (spec?["fallbacks"]?.elements ?? []).compactMap { fallback in
            fallback["provider"]?.string.map { Fallback(provider: $0, model: fallback["model"]?.string) }
        }
        requestsPerMinute = (spec?["rateLimit"]?["requestsPerMinute"]?.unsigned).flatMap { $0 > 0 ? $0 : nil }
        prices = ModelPrices(spec?["prices"])
        let auth = spec?["auth"]
        let awsConfig = Self.signing(auth)
        region = (spec?["region"] ?? awsConfig?["region"] ?? auth?["region"])?.string
        azure = AzurePaths(kind: kind, version: spec?["apiVersion"]?.string)
        authentication = Self.authentication(auth, format, region, azure)
        isInternal = spec?["topology"]?.string?.lowercased() == "internal"
    }

    /// The documented member of a signature's region and service, or the shorter name that clients send.
    private static func signing(_ auth: JSONValue?) -> JSONValue? {
        auth?["awsSignatureConfig"]?.present ?? auth?["awsConfig"]?.present
    }

    /// Checks that calls can be authenticated in the way that the document says.
    package func checkAuthentication() throws(CredentialError) {
        try Authentication(authentication).checkUsable(allowsConsent: false)
    }

    /// What the document leaves out and the provider's kind decides.
    private static func authentication(
        _ auth: JSONValue?, _ format: ModelFormat, _ region: String?, _ azure: AzurePaths?
    ) -> JSONValue? {
        let type = auth?["type"]?.string
        let key = auth?["apiKeyConfig"] ?? auth
        let keyHeader = format == .anthropic ? "x-api-key" : azure.map { _ in AzurePaths.keyHeader }
        if let keyHeader, type == "APIKey", key?["name"]?.present == nil {
            return .members(["type": .string("APIKey"), "in": .string("header"), "name": .string(keyHeader)])
        }
        if format == .bedrock, type == "AWSSignature" {
            let service = (Self.signing(auth)?["service"] ?? auth?["service"])?.string ?? "bedrock"
            return .members([
                "type": .string("AWSSignature"), "region": region.map { .string($0) }, "service": .string(service),
            ])
        }
        return auth
    }

    /// What puts calls in the provider's format; `nil` for a model of our own.
    var translator: (any ChatTranslator)? {
        switch format {
        case .openAI: OpenAIFormat(isOpenAI: kind == "openai")
        case .playground: nil
        case .anthropic: AnthropicFormat()
        case .bedrock: BedrockFormat()
        case .ollama: OllamaFormat()
        }
    }

    /// The path of a call of a model below the provider's base.
    func callPath(_ operationPath: String, of model: String) -> String {
        azure?.callPath(operationPath, of: model, below: endpoint) ?? operationPath
    }

    /// Where an operation of the provider's is asked for. An endpoint that is a host alone gets the path that the
    /// format has; one with a path is a base.
    package func url(_ operationPath: String) throws(UnusableEndpoint) -> NormalizedURL {
        let known = kind == "openai" ? Self.openAIEndpoint : format.endpoint(region: region)
        guard let text = endpoint ?? known else {
            throw UnusableEndpoint(
                "model provider \"\(name)\" has no spec.endpoint"
                    + (format == .bedrock ? " and no spec.region: store it with one" : ": store it with one"))
        }
        do throws(InvalidURL) {
            let base = try NormalizedURL(text)
            var path = base.path[...]
            while path.hasSuffix("/") { path.removeLast() }
            for operation in format.operationPaths where path.hasSuffix(operation) {
                path.removeLast(operation.count)
            }
            let basePath =
                path.isEmpty || format.isVersionedBelowPath && !path.hasSuffix(format.basePath)
                ? path + (azure == nil ? format.basePath : AzurePaths.basePath) : path
            let query = azure?.query(base.query, path: String(path)) ?? base.query
            return try NormalizedURL(base.origin + basePath + "/" + operationPath + (query.map { "?" + $0 } ?? ""))
        } catch {
            throw UnusableEndpoint("model provider \"\(name)\": spec.endpoint \(error.reason)")
        }
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
