import Domain

/// Answers in JSON from models that know no such option: the model has to call a tool whose arguments are the answer.
enum JSONAnswerTool {
    static let name = "answer_in_json"

    /// The request with that tool in the place of the option. One with tools of its own gets an instruction instead,
    /// because the model must go on to choose among them.
    static func applied(to request: ChatRequest) -> ChatRequest {
        var request = request
        let schema: JSONValue
        switch request.answerFormat {
        case .text: return request
        case .json: schema = .members(["type": .string("object"), "additionalProperties": .bool(true)])
        case .schema(let given): schema = given.schema
        }
        request.answerFormat = .text
        guard request.tools.isEmpty, schema["type"]?.string == "object" else {
            request.system.append(
                "Answer with one JSON value and nothing else, valid against this JSON schema: \(schema.text.text)")
            return request
        }
        request.tools = [
            ChatRequest.Tool(name: name, description: "Gives the answer to the user.", parameters: schema)
        ]
        request.toolChoice = .function(name)
        return request
    }

    /// The answer as if the option were known.
    static func read(_ answer: ChatAnswer) -> ChatAnswer {
        guard let call = answer.calls.first(where: { $0.name == name }) else { return answer }
        var answer = answer
        answer.text = call.arguments.text.text
        answer.calls = []
        if answer.finish == .toolCalls { answer.finish = .stop }
        return answer
    }
}

/// The same for the parts of a stream.
struct JSONAnswerDeltas: Sendable {
    private var answering: Int?

    mutating func read(_ delta: ChatDelta) -> ChatDelta? {
        switch delta {
        case .callBegun(let number, _, let name) where name == JSONAnswerTool.name:
            answering = number
            return nil
        case .callArguments(let number, let text) where number == answering: return .text(text)
        case .finish(.toolCalls) where answering != nil: return .finish(.stop)
        case .text where answering != nil: return nil
        case .text, .callBegun, .callArguments, .finish, .usage: return delta
        }
    }
}
