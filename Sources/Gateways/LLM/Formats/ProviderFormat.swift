package import Domain

/// Everything that the calls of one provider format need: its kinds, addresses, headers, authentication, and the
/// translation of its requests and answers. Pure.
///
/// A format is one type in a folder of its own, and a line in `ProviderFormats`.
package protocol ProviderFormat: Sendable {
    /// The values of `spec.provider` that name the format, in lower case; the first is the format's name.
    static var kinds: [String] { get }

    /// - Parameter kind: The provider's `spec.provider` in lower case: one of `kinds`, or a kind that no format has.
    init(kind: String)

    /// The endpoint of a provider whose document has none; `nil` requires one.
    func endpoint(region: String?) -> String?

    /// The advice for a provider that has no endpoint and requires one, for the error that says so.
    var endpointAdvice: String { get }

    /// The path of an endpoint that is a host alone.
    var basePath: String { get }

    /// True when services serve `basePath` below a path of their own, as Anthropic's SDK expects it:
    /// `…/anthropic` is asked at `…/anthropic/v1/messages`.
    var isVersionedBelowPath: Bool { get }

    /// The ends of an endpoint that was copied whole.
    var operationPaths: [String] { get }

    /// The check that tells an operator whether a provider answers.
    var probe: ProviderProbe { get }

    /// Headers of each call, beside the content type.
    var headers: [(name: String, value: String)] { get }

    /// The authentication of calls: `spec.auth`, completed with the defaults of the format.
    func authentication(_ auth: JSONValue?, region: String?) -> JSONValue?

    /// The operations whose requests and answers pass as they are, because callers and provider share the format.
    var passedOn: Set<LLMRequest.Operation> { get }

    /// A request that passes on, in the form that the provider accepts; `nil` when it can pass as it came.
    func accepted(_ request: JSONValue) -> JSONValue?

    /// The way to an answer of a chat that does not pass as it is.
    var chat: ChatService { get }

    /// The translation of embeddings that do not pass as they are; `nil` when the format has none.
    var embeddings: (any EmbeddingsTranslator)? { get }

    /// The meaning of an error document beside its words.
    func refusal(_ document: JSONValue) -> ProviderRefusal

    /// The prices of models without a price of their own in `spec.prices`.
    var pricing: ProviderPricing { get }
}

extension ProviderFormat {
    package func endpoint(region: String?) -> String? { nil }
    package var endpointAdvice: String { "send the address of the service, such as https://models.example.com/v1" }
    package var basePath: String { "" }
    package var isVersionedBelowPath: Bool { false }
    package var operationPaths: [String] { [] }
    package var headers: [(name: String, value: String)] { [] }
    package func authentication(_ auth: JSONValue?, region: String?) -> JSONValue? { auth }
    package var passedOn: Set<LLMRequest.Operation> { [] }
    package func accepted(_ request: JSONValue) -> JSONValue? { nil }
    package var embeddings: (any EmbeddingsTranslator)? { nil }
    package func refusal(_ document: JSONValue) -> ProviderRefusal { ProviderRefusal() }
    package var pricing: ProviderPricing { .unknown }
}

extension ProviderFormat where Self: ChatTranslator {
    package var chat: ChatService { .provider(self) }
}

/// The check that tells an operator whether a provider answers.
package enum ProviderProbe: Hashable, Sendable {
    /// A `GET` of that path, which costs nothing.
    case path(String)
    /// The provider is part of Sluice and always answers.
    case needless
    /// No request is free; the reason says what to do.
    case impossible(String)
}

/// The meaning of an error document that its status and headers do not tell.
package struct ProviderRefusal: Hashable, Sendable {
    /// True when the provider refuses the credentials.
    package var isOfCredentials = false
    /// The pause that the provider asks for.
    package var retryAfter: Duration?

    package init() {}
}

/// The way to an answer of a chat.
package enum ChatService: Sendable {
    case provider(any ChatTranslator)
    /// A model that is part of Sluice.
    case local(any LocalModel)
}

/// A model that answers within the process.
package protocol LocalModel: Sendable {
    /// Marks its answers (`system_fingerprint` of OpenAI's format).
    var fingerprint: String { get }

    func answer(_ request: ChatRequest) -> ChatAnswer

    /// The parts of the same answer, as a stream has them.
    func deltas(_ answer: ChatAnswer) -> [ChatDelta]
}

/// The prices of a provider's models where its document has none.
package enum ProviderPricing: Hashable, Sendable {
    /// Those of `ModelPriceTable`.
    case published
    /// The models run on hardware of the operator's.
    case free
    case unknown
}
