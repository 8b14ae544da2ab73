package import Domain

/// Reads Anthropic's format (docs.anthropic.com/en/api/messages).
///
/// What has no counterpart elsewhere and only tunes the answer (`top_k`, thinking, cache control, metadata) is left out;
/// what would make it another answer (documents, tools of the provider's own) is refused.
extension ChatRequest {
    package init(anthropic body: JSONValue, model: String) throws(UntranslatableRequest) {
        self.init(model: model)
        for name in ["mcp_servers", "container"] where body[name]?.present != nil {
            throw UntranslatableRequest("\(name) is not known to this model's provider: leave it out")
        }
        if let text = try Self.texts(body["system"]?.present, "system") { system = text }
        guard case .array(let messages)? = body["messages"], !messages.isEmpty else {
            throw UntranslatableRequest("messages must be an array with a message in it")
        }
        for (index, message) in messages.enumerated() { try readTurn(message, "messages[\(index)]") }
        guard !self.messages.isEmpty else {
            throw UntranslatableRequest("messages must hold a message of the user or the assistant")
        }
        try readAnthropicTools(body)
        guard let tokens = body["max_tokens"]?.unsigned, tokens > 0 else {
            throw UntranslatableRequest("max_tokens is required, and must be a whole number above 0")
        }
        tokensMax = tokens
        temperature = try Self.number("temperature", body)
        topP = try Self.number("top_p", body)
        if let stop = body["stop_sequences"]?.present {
            self.stop = stop.strings
            guard case .array = stop, self.stop.count == stop.elements.count else {
                throw UntranslatableRequest("stop_sequences must be an array of strings")
            }
        }
        if let format = body["output_config"]?["format"]?.present ?? body["output_format"]?.present {
            guard format["type"]?.string == "json_schema", let schema = format["schema"]?.present else {
                throw UntranslatableRequest("output_config.format must be a json_schema with a schema")
            }
            answerFormat = .schema(AnswerSchema(schema, name: format["name"]?.string))
        }
        isStreamed = body["stream"]?.isTrue ?? false
        includesUsage = true
        user = body["metadata"]?["user_id"]?.string
    }

    /// A string, or blocks that are texts; `nil` when there is none.
    private static func texts(_ content: JSONValue?, _ place: String) throws(UntranslatableRequest) -> [String]? {
        guard let content else { return nil }
        if let text = content.string { return [text] }
        guard case .array(let blocks) = content else {
            throw UntranslatableRequest("\(place) must be a string or an array of text blocks")
        }
        var texts: [String] = []
        for (index, block) in blocks.enumerated() {
            guard block["type"]?.string == "text", let text = block["text"]?.string else {
                throw UntranslatableRequest("\(place)[\(index)] must be a text block")
            }
            texts.append(text)
        }
        return texts
    }

    /// Results of tools come in the user's turn there, and are messages of their own here.
    private mutating func readTurn(_ message: JSONValue, _ place: String) throws(UntranslatableRequest) {
        let content = message["content"]?.present
        let blocks = content?.string.map { [JSONValue.members(["type": .string("text"), "text": .string($0)])] }
        guard let blocks = blocks ?? Self.array(content) else {
            throw UntranslatableRequest("\(place).content must be a string or an array of blocks")
        }
        switch message["role"]?.string {
        case "user":
            var parts: [Part] = []
            for (index, block) in blocks.enumerated() {
                let place = "\(place).content[\(index)]"
                guard block["type"]?.string == "tool_result" else {
                    parts.append(try Self.part(block, place))
                    continue
                }
                guard let id = block["tool_use_id"]?.string else {
                    throw UntranslatableRequest("\(place).tool_use_id is required")
                }
                messages.append(
                    .tool(
                        callID: id, content: try Self.result(block["content"]?.present, place),
                        isError: block["is_error"]?.isTrue ?? false))
            }
            if !parts.isEmpty { messages.append(.user(parts)) }
        case "assistant":
            var (text, calls) = ("", [ChatToolCall]())
            for (index, block) in blocks.enumerated() {
                try Self.read(block, "\(place).content[\(index)]", into: &text, &calls)
            }
            if !text.isEmpty || !calls.isEmpty { messages.append(.assistant(text: text, calls: calls)) }
        case "system":
            for text in try Self.texts(content, place) ?? [] { addSystem(text) }
        default: throw UntranslatableRequest("\(place).role must be user, assistant or system")
        }
    }

    private static func array(_ value: JSONValue?) -> [JSONValue]? {
        if case .array(let values)? = value { values } else { nil }
    }

    private static func result(_ content: JSONValue?, _ place: String) throws(UntranslatableRequest) -> [Part] {
        guard let content else { return [] }
        if let text = content.string { return [.text(text)] }
        guard case .array(let blocks) = content else {
            throw UntranslatableRequest("\(place).content must be a string or an array of blocks")
        }
        var parts: [Part] = []
        for (index, block) in blocks.enumerated() { parts.append(try part(block, "\(place).content[\(index)]")) }
        return parts
    }

    private static func part(_ block: JSONValue, _ place: String) throws(UntranslatableRequest) -> Part {
        switch block["type"]?.string {
        case "text":
            guard let text = block["text"]?.string else {
                throw UntranslatableRequest("\(place).text must be a string")
            }
            return .text(text)
        case "image":
            let source = block["source"]
            switch source?["type"]?.string {
            case "base64":
                guard let mediaType = source?["media_type"]?.string, let data = source?["data"]?.string else {
                    throw UntranslatableRequest("\(place).source must have a media_type and data")
                }
                return .image(.data(mediaType: mediaType, base64: data))
            case "url":
                guard let url = source?["url"]?.string else {
                    throw UntranslatableRequest("\(place).source.url must be a string")
                }
                return .image(.url(url))
            default: throw UntranslatableRequest("\(place).source.type must be base64 or url for this model's provider")
            }
        default:
            throw UntranslatableRequest("\(place).type must be text, image or tool_result for this model's provider")
        }
    }

    private static func read(
        _ block: JSONValue, _ place: String, into text: inout String, _ calls: inout [ChatToolCall]
    ) throws(UntranslatableRequest) {
        switch block["type"]?.string {
        case "thinking", "redacted_thinking": break
        case "text":
            guard let more = block["text"]?.string else {
                throw UntranslatableRequest("\(place).text must be a string")
            }
            text += more
        case "tool_use":
            guard let id = block["id"]?.string, let name = block["name"]?.string, case .object? = block["input"] else {
                throw UntranslatableRequest("\(place) must have an id, a name and an input that is an object")
            }
            calls.append(ChatToolCall(id: id, name: name, arguments: block["input"] ?? .object([])))
        default:
            throw UntranslatableRequest("\(place).type must be text or tool_use for this model's provider")
        }
    }

    private mutating func readAnthropicTools(_ body: JSONValue) throws(UntranslatableRequest) {
        for (index, tool) in (body["tools"]?.elements ?? []).enumerated() {
            guard tool["type"]?.present?.string ?? "custom" == "custom", let name = tool["name"]?.string,
                let schema = tool["input_schema"]?.present
            else {
                throw UntranslatableRequest(
                    "tools[\(index)] must have a name and an input_schema: this model's provider has no tools of its own"
                )
            }
            tools.append(
                Tool(
                    name: name, description: tool["description"]?.string, parameters: schema,
                    isStrict: tool["strict"]?.boolean))
        }
        guard let choice = body["tool_choice"]?.present else { return }
        if choice["disable_parallel_tool_use"]?.isTrue == true { allowsParallelCalls = false }
        switch choice["type"]?.string {
        case "auto": toolChoice = .auto
        case "none": toolChoice = .none
        case "any": toolChoice = .required
        case "tool":
            guard let name = choice["name"]?.string else {
                throw UntranslatableRequest("tool_choice.name is required")
            }
            toolChoice = .function(name)
        default: throw UntranslatableRequest("tool_choice.type must be auto, any, tool or none")
        }
    }
}
