package import Domain

/// Reads OpenAI's format (platform.openai.com/docs/api-reference/chat/create).
///
/// What has no counterpart elsewhere and only tunes the answer (penalties, logit biases, metadata) is left out; what
/// would make it another answer (several choices, log probabilities, audio) is refused.
extension ChatRequest {
    package init(openAI body: JSONValue, model: String) throws(UntranslatableRequest) {
        self.init(model: model)
        try Self.refuseOthers(body)
        guard case .array(let messages)? = body["messages"] else {
            throw UntranslatableRequest("messages must be an array")
        }
        for (index, message) in messages.enumerated() { try add(message, "messages[\(index)]") }
        guard !self.messages.isEmpty else {
            throw UntranslatableRequest("messages must hold a message of the user or the assistant")
        }
        try readTools(body)
        try readSampling(body)
        answerFormat = try Self.format(body["response_format"])
        isStreamed = body["stream"]?.isTrue ?? false
        includesUsage = body["stream_options"]?["include_usage"]?.isTrue ?? false
        user = body["user"]?.string
    }

    private static func refuseOthers(_ body: JSONValue) throws(UntranslatableRequest) {
        if let n = body["n"]?.present, n != .number("1") {
            throw UntranslatableRequest("n must be 1: this model's provider gives one answer")
        }
        for name in ["logprobs", "audio", "functions", "function_call"] {
            guard let value = body[name]?.present, value != .bool(false) else { continue }
            throw UntranslatableRequest("\(name) is not known to this model's provider: leave it out")
        }
    }

    private mutating func add(_ message: JSONValue, _ place: String) throws(UntranslatableRequest) {
        let content = message["content"]?.present
        switch message["role"]?.string {
        case "system", "developer": addSystem(try Self.text(content, place))
        case "user": messages.append(.user(try Self.parts(content, place)))
        case "tool":
            guard let id = message["tool_call_id"]?.string else {
                throw UntranslatableRequest("\(place).tool_call_id is required")
            }
            messages.append(.tool(callID: id, content: try Self.parts(content, place), isError: false))
        case "assistant":
            let calls = try Self.calls(message["tool_calls"]?.present, place)
            let text = content == nil ? message["refusal"]?.string ?? "" : try Self.text(content, place)
            // An empty answer, sent back, says nothing; providers refuse it.
            if !text.isEmpty || !calls.isEmpty { messages.append(.assistant(text: text, calls: calls)) }
        default: throw UntranslatableRequest("\(place).role must be system, developer, user, assistant or tool")
        }
    }

    private static func text(_ content: JSONValue?, _ place: String) throws(UntranslatableRequest) -> String {
        var text = ""
        for part in try parts(content, place) {
            guard case .text(let more) = part else {
                throw UntranslatableRequest("\(place).content must be text: images are for the user's messages")
            }
            text += more
        }
        return text
    }

    private static func parts(_ content: JSONValue?, _ place: String) throws(UntranslatableRequest) -> [Part] {
        if let text = content?.string { return [.text(text)] }
        guard case .array(let values)? = content else {
            throw UntranslatableRequest("\(place).content must be a string or an array of parts")
        }
        var parts: [Part] = []
        for (index, value) in values.enumerated() {
            let place = "\(place).content[\(index)]"
            switch value["type"]?.string {
            case "text", "refusal":
                guard let text = value["text"]?.string ?? value["refusal"]?.string else {
                    throw UntranslatableRequest("\(place).text must be a string")
                }
                parts.append(.text(text))
            case "image_url":
                guard let url = value["image_url"]?["url"]?.string ?? value["image_url"]?.string else {
                    throw UntranslatableRequest("\(place).image_url.url must be a string")
                }
                parts.append(.image(try image(url, "\(place).image_url.url")))
            default:
                throw UntranslatableRequest("\(place).type must be text or image_url for this model's provider")
            }
        }
        return parts
    }

    private static func calls(_ value: JSONValue?, _ place: String) throws(UntranslatableRequest) -> [ChatToolCall] {
        guard let value else { return [] }
        var calls: [ChatToolCall] = []
        for (index, call) in value.elements.enumerated() {
            let place = "\(place).tool_calls[\(index)]"
            guard let id = call["id"]?.string, let name = call["function"]?["name"]?.string else {
                throw UntranslatableRequest("\(place) must have an id and a function with a name")
            }
            calls.append(ChatToolCall(id: id, name: name, text: call["function"]?["arguments"]?.string))
        }
        return calls
    }

    private mutating func readTools(_ body: JSONValue) throws(UntranslatableRequest) {
        for (index, tool) in (body["tools"]?.elements ?? []).enumerated() {
            guard tool["type"]?.string == "function", let function = tool["function"],
                let name = function["name"]?.string
            else { throw UntranslatableRequest("tools[\(index)] must be a function with a name") }
            let parameters = function["parameters"]?.present
            tools.append(
                Tool(
                    name: name, description: function["description"]?.string,
                    parameters: parameters ?? .members(["type": .string("object"), "properties": .object([])]),
                    isStrict: function["strict"]?.boolean))
        }
        allowsParallelCalls = body["parallel_tool_calls"]?.boolean
        guard let choice = body["tool_choice"]?.present else { return }
        switch choice.string {
        case "auto": toolChoice = .auto
        case "none": toolChoice = .none
        case "required": toolChoice = .required
        default:
            guard let name = choice["function"]?["name"]?.string else {
                throw UntranslatableRequest("tool_choice must be auto, none, required or a function with a name")
            }
            toolChoice = .function(name)
        }
    }

    private mutating func readSampling(_ body: JSONValue) throws(UntranslatableRequest) {
        if let tokens = body["max_completion_tokens"]?.present ?? body["max_tokens"]?.present {
            guard let number = tokens.unsigned, number > 0 else {
                throw UntranslatableRequest("max_tokens must be a whole number above 0")
            }
            tokensMax = number
        }
        temperature = try Self.number("temperature", body)
        topP = try Self.number("top_p", body)
        seed = try Self.number("seed", body)
        switch body["stop"]?.present {
        case nil: break
        case .string(let text): stop = [text]
        case let value?:
            stop = value.strings
            guard case .array(let elements) = value, stop.count == elements.count else {
                throw UntranslatableRequest("stop must be a string or an array of strings")
            }
        }
    }

    static func number(_ name: String, _ body: JSONValue) throws(UntranslatableRequest) -> String? {
        switch body[name]?.present {
        case nil: return nil
        case .number(let text): return text
        default: throw UntranslatableRequest("\(name) must be a number")
        }
    }

    private static func format(_ value: JSONValue?) throws(UntranslatableRequest) -> AnswerFormat {
        guard let value = value?.present else { return .text }
        switch value["type"]?.string {
        case "text": return .text
        case "json_object": return .json
        case "json_schema":
            guard let format = value["json_schema"], let schema = format["schema"]?.present else {
                throw UntranslatableRequest("response_format.json_schema.schema is required")
            }
            return .schema(AnswerSchema(schema, name: format["name"]?.string, isStrict: format["strict"]?.boolean))
        default:
            throw UntranslatableRequest("response_format.type must be text, json_object or json_schema")
        }
    }
}
