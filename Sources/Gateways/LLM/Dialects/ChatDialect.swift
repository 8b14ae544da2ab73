package import Domain

/// Writes an answer's parts as whoever asked reads them.
package protocol ChatStreamWriter: Sendable {
    /// What the provider told, until now.
    var usage: TokenUsage? { get }

    /// Appends what the caller gets of that part.
    mutating func write(_ delta: ChatDelta, to bytes: inout [UInt8])

    /// Appends the end of a whole answer.
    mutating func end(to bytes: inout [UInt8])

    /// Appends a sign of life, which the SDKs skip.
    mutating func ping(to bytes: inout [UInt8])

    /// Appends an error in the place of the rest: the SDKs raise it.
    func fail(_ message: String, to bytes: inout [UInt8])
}

/// In whose words a chat is asked for, and answered.
enum ChatDialect: Sendable {
    case openAI, anthropic
    /// OpenAI's Responses, which repeat members of their request.
    case responses(ResponseEcho)

    func request(_ document: JSONValue, model: String) throws(UntranslatableRequest) -> ChatRequest {
        switch self {
        case .openAI: try ChatRequest(openAI: document, model: model)
        case .anthropic: try ChatRequest(anthropic: document, model: model)
        case .responses: try ChatRequest(responses: document, model: model)
        }
    }

    var idPrefix: String {
        switch self {
        case .openAI: "chatcmpl-"
        case .anthropic: "msg_"
        case .responses: "resp_"
        }
    }

    func answer(_ answer: ChatAnswer, _ identity: CompletionIdentity) -> JSONValue {
        switch self {
        case .openAI: answer.openAI(identity)
        case .anthropic: answer.anthropic(identity)
        case .responses(let echo): answer.response(identity, echo)
        }
    }

    func writer(_ identity: CompletionIdentity, includesUsage: Bool) -> any ChatStreamWriter {
        switch self {
        case .openAI: CompletionChunks(identity, includesUsage: includesUsage)
        case .anthropic: MessageEvents(identity)
        case .responses(let echo): ResponseEvents(identity, echo)
        }
    }
}
