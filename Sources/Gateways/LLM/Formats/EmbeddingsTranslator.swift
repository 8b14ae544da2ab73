package import Domain

/// Translates embeddings of a provider with a format of its own. Pure.
package protocol EmbeddingsTranslator: Sendable {
    /// The requests that together embed the texts, in the order of the texts.
    func requests(_ texts: EmbeddedTexts) throws(UntranslatableRequest) -> [EmbeddingRequest]

    /// The vectors of one request, and the tokens that the provider counts for them.
    func embeddings(_ reply: EmbeddingReply, to request: EmbeddingRequest) throws(UnreadableAnswer) -> Embeddings
}

/// The texts that a caller asks to embed.
package struct EmbeddedTexts: Hashable, Sendable {
    package let model: String
    package let texts: [String]
    /// The length of the vectors as the caller wrote it; `nil` leaves it to the model.
    package let dimensions: JSONValue?

    package init(model: String, texts: [String], dimensions: JSONValue? = nil) {
        self.model = model
        self.texts = texts
        self.dimensions = dimensions
    }
}

/// One request of embeddings in a provider's format.
package struct EmbeddingRequest: Hashable, Sendable {
    package let path: String
    package let body: JSONValue
    /// The number of texts in it.
    package let count: Int

    package init(path: String, body: JSONValue, count: Int) {
        self.path = path
        self.body = body
        self.count = count
    }
}

/// A provider's answer to a request of embeddings.
package struct EmbeddingReply: Sendable {
    package let document: JSONValue
    private let headers: [(name: String, value: String)]

    package init(_ document: JSONValue, headers: [(name: String, value: String)] = []) {
        self.document = document
        self.headers = headers
    }

    /// The value of a header, whose name is given in lower case.
    func header(_ name: String) -> String? { headers.first { $0.name.lowercased() == name }?.value }
}

/// Vectors, one for each text, and the tokens of the texts.
package struct Embeddings: Hashable, Sendable {
    package var vectors: [JSONValue] = []
    /// `nil` when the provider counts none.
    package var tokens: UInt64?

    package init(vectors: [JSONValue] = [], tokens: UInt64? = nil) {
        self.vectors = vectors
        self.tokens = tokens
    }

    /// The vectors of an answer to the request.
    ///
    /// - Throws: when there is not one vector for each text; the tokens are billed all the same.
    init(_ vectors: [JSONValue], of request: EmbeddingRequest, tokens: UInt64?) throws(UnreadableAnswer) {
        let areVectors = vectors.allSatisfy { if case .array = $0 { true } else { false } }
        guard areVectors, vectors.count == request.count else {
            throw UnreadableAnswer(
                "it has no embedding for each text", usage: tokens.map { TokenUsage(prompt: $0, completion: 0) })
        }
        self.init(vectors: vectors, tokens: tokens)
    }

    /// Appends those of the next request.
    mutating func append(_ next: Embeddings) {
        vectors += next.vectors
        // A provider may count as much as it likes: each request counts as a whole call at most.
        guard let more = next.tokens.map({ min($0, TokenUsage.tokensMax) }) else { return }
        tokens = min(tokens ?? 0, TokenUsage.tokensMax) + more
    }
}
