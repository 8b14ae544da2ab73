package import Domain

/// A chat completion as it is asked for, in no provider's words: what the formats have in common.
package struct ChatRequest: Hashable, Sendable {
    package enum Part: Hashable, Sendable {
        case text(String)
        case image(Image)
    }

    package enum Image: Hashable, Sendable {
        case data(mediaType: String, base64: String)
        case url(String)
    }

    package enum Message: Hashable, Sendable {
        case user([Part])
        case assistant(text: String, calls: [ChatToolCall])
        /// The result of a tool call.
        case tool(callID: String, content: [Part], isError: Bool)
        /// An instruction that stands after the first turn.
        case system(String)
    }

    package struct Tool: Hashable, Sendable {
        package var name: String
        package var description: String?
        /// A JSON schema of an object.
        package var parameters: JSONValue
        /// True when arguments must follow the schema exactly; `nil` leaves that to the provider.
        package var isStrict: Bool?

        package init(name: String, description: String?, parameters: JSONValue, isStrict: Bool? = nil) {
            self.name = name
            // A blank one says nothing; Bedrock refuses it.
            self.description = description.flatMap { $0.isBlank ? nil : $0 }
            self.parameters = parameters
            self.isStrict = isStrict
        }
    }

    package enum ToolChoice: Hashable, Sendable {
        case auto, none, required
        case function(String)
    }

    package enum AnswerFormat: Hashable, Sendable {
        case text
        case json
        case schema(AnswerSchema)
    }

    /// The JSON schema that an answer has to follow.
    package struct AnswerSchema: Hashable, Sendable {
        package var schema: JSONValue
        /// The name that the caller gave it.
        package var name: String?
        /// True when the caller asked for exact adherence; `nil` leaves that to the provider.
        package var isStrict: Bool?

        package init(_ schema: JSONValue, name: String? = nil, isStrict: Bool? = nil) {
            self.schema = schema
            self.name = name
            self.isStrict = isStrict
        }
    }

    package var model: String
    /// Instructions before the first turn, in order.
    package var system: [String] = []
    package var messages: [Message] = []
    package var tools: [Tool] = []
    package var toolChoice = ToolChoice.auto
    /// Whether the model may ask for several calls at once; `nil` leaves that to the provider.
    package var allowsParallelCalls: Bool?
    package var tokensMax: UInt64?
    /// Numbers as they were written.
    package var temperature: String?
    package var topP: String?
    package var seed: String?
    package var stop: [String] = []
    package var user: String?
    /// The effort of the model's reasoning, by OpenAI's names; `nil` leaves that to the provider.
    package var reasoningEffort: String?
    package var answerFormat = AnswerFormat.text
    package var isStreamed = false
    /// Whether a stream ends with what it used.
    package var includesUsage = false

    package init(model: String) { self.model = model }

    /// The request with every instruction before the first turn, for formats that have no other place for them.
    var withLeadingSystem: ChatRequest {
        var request = self
        request.messages = []
        for message in messages {
            switch (message, request.messages.last) {
            case (.system(let text), _): request.system.append(text)
            // One turn, so that a blank text beside another is left out.
            case (.user(let parts), .user(let before)):
                request.messages[request.messages.count - 1] = .user(before + parts)
            default: request.messages.append(message)
            }
        }
        return request
    }

    /// The sequences that end the answer, for providers that refuse blank ones.
    var visibleStop: [String] { stop.filter { !$0.isBlank } }

    /// Adds an instruction where it stands: before the first turn, or between turns.
    mutating func addSystem(_ text: String) {
        if messages.isEmpty { system.append(text) } else { messages.append(.system(text)) }
    }
}

extension String {
    /// True when there is nothing in it but white space: providers refuse such texts.
    var isBlank: Bool { allSatisfy(\.isWhitespace) }
}

/// A call of a tool that a model asks for.
package struct ChatToolCall: Hashable, Sendable {
    package var id: String
    package var name: String
    /// An object.
    package var arguments: JSONValue

    package init(id: String, name: String, arguments: JSONValue) {
        self.id = id
        self.name = name
        self.arguments = arguments
    }

    /// A call of an earlier turn, whose arguments are a text.
    ///
    /// Callers send back what they were given. A text that is no object, such as that of a call which a limit of tokens cut
    /// off, stands in an object, for providers that take nothing else.
    init(id: String, name: String, text: String?) {
        var arguments = JSONValue.object([])
        if let text, !text.isEmpty {
            arguments = .members(["text": .string(text)])
            if let parsed = try? JSONValue(parsing: Array(text.utf8), .surrogates), case .object = parsed {
                arguments = parsed
            }
        }
        self.init(id: id, name: name, arguments: arguments)
    }
}

/// Why a request in OpenAI's format cannot be put in another's.
package struct UntranslatableRequest: Error, Hashable, Sendable {
    package let reason: String

    package init(_ reason: String) { self.reason = reason }
}
