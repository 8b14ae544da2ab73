package import Domain

/// A call in OpenAI's or Anthropic's format that somebody asks the gateway to bring to a model.
package struct LLMRequest: Sendable {
    /// What is asked of the model: the last parts of the address.
    package enum Operation: String, Hashable, Sendable, CaseIterable {
        case chatCompletions = "chat/completions"
        case embeddings
        /// In Anthropic's format.
        case messages
        /// In OpenAI's Responses format.
        case responses
        /// The tokens that a request in Anthropic's format would have; it asks no model.
        case countTokens = "messages/count_tokens"
    }

    /// Stands for whichever provider lists the model.
    package static let anyProvider = "default"

    package let workspace: WorkspaceName
    package let caller: ModelCaller
    package let operation: Operation
    /// The provider that the address names; `nil` when it names none.
    package let provider: String?
    package let model: String
    /// The form in which the caller reads errors.
    package let errorForm: ModelErrorForm
    package let headers: [(name: String, value: String)]
    package private(set) var body: [UInt8]
    /// What the body is, parsed.
    package private(set) var document: JSONValue
    /// The tokens of earlier turns that the provider keeps, and the body only refers to.
    private(set) var earlier = EarlierTurns()

    package init(
        workspace: WorkspaceName, caller: ModelCaller, operation: Operation, provider: String?, model: String,
        errorForm: ModelErrorForm, headers: [(name: String, value: String)], body: [UInt8],
        document: JSONValue
    ) {
        self.workspace = workspace
        self.caller = caller
        self.operation = operation
        self.provider = provider == Self.anyProvider ? nil : provider
        self.model = model
        self.errorForm = errorForm
        self.headers = headers
        self.body = body
        self.document = document
    }

    /// The same request with its references resolved.
    func resolving(_ references: ResolvedReferences) -> LLMRequest {
        var request = self
        request.earlier = references.earlier
        guard let document = references.body else { return request }
        request.document = document
        request.body = Array(document.text.text.utf8)
        return request
    }
}
