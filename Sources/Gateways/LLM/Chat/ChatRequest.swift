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
        /// What came of a call of a tool.
        case tool(callID: String, content: [Part])
    }

    package struct Tool: Hashable, Sendable {
        package var name: String
        package var description: String?
        /// A JSON schema of an object.
        package var parameters: JSONValue

        package init(name: String, description: String?, parameters: JSONValue) {
            self.name = name
            self.description = description
            self.parameters = parameters
        }
    }

    package enum ToolChoice: Hashable, Sendable {
        case auto, none, required
        case function(String)
    }

    package enum AnswerFormat: Hashable, Sendable {
        case text
        case json
        case schema(JSONValue)
    }

    package var model: String
    /// The system's and the developer's messages, in their order: the other formats have one place for them.
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
    package var answerFormat = AnswerFormat.text
    package var isStreamed = false
    /// Whether a stream ends with what it used.
    package var includesUsage = false

    package init(model: String) { self.model = model }
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
}

/// Why a request in OpenAI's format cannot be put in another's.
package struct UntranslatableRequest: Error, Hashable, Sendable {
    package let reason: String

    package init(_ reason: String) { self.reason = reason }
}
