package import Domain

/// Reads OpenAI's Responses format (platform.openai.com/docs/api-reference/responses/create).
///
/// Members that have no counterpart elsewhere and only tune the answer (`include`, `truncation`, `service_tier`, summaries
/// of reasoning) are left out; those that would make it another answer (hosted tools, stored prompts, files) are refused.
/// References to earlier responses and their items are resolved before.
extension ChatRequest {
    package init(responses body: JSONValue, model: String) throws(UntranslatableRequest) {
        self.init(model: model)
        for name in ["prompt", "top_logprobs"] {
            guard let value = body[name]?.present, value != .number("0") else { continue }
            throw UntranslatableRequest("\(name) is not known to this model's provider: leave it out")
        }
        guard !(body["include"].strings.contains("message.output_text.logprobs")) else {
            throw UntranslatableRequest("include must not ask for logprobs, which this model's provider has not")
        }
        if let instructions = body["instructions"]?.present {
            guard let text = instructions.string else { throw UntranslatableRequest("instructions must be a string") }
            if !text.isEmpty { addSystem(text) }
        }
        switch body["input"]?.present {
        case .string(let text)?: messages.append(.user([.text(text)]))
        case .array(let items)?:
            for (index, item) in items.enumerated() { try readItem(item, "input[\(index)]") }
        default: throw UntranslatableRequest("input must be a string or an array of items")
        }
        guard !messages.isEmpty else {
            throw UntranslatableRequest("input must hold a message of the user or the assistant")
        }
        try readResponseTools(body)
        try readResponseSampling(body)
        isStreamed = body["stream"]?.isTrue ?? false
        includesUsage = true
    }

    private mutating func readItem(_ item: JSONValue, _ place: String) throws(UntranslatableRequest) {
        switch item["type"]?.present?.string ?? "message" {
        case "message": try readMessage(item, place)
        case "function_call":
            guard let id = item["call_id"]?.string, let name = item["name"]?.string else {
                throw UntranslatableRequest("\(place) must have a call_id and a name")
            }
            add(ChatToolCall(id: id, name: name, text: item["arguments"]?.string))
        case "function_call_output":
            guard let id = item["call_id"]?.string else { throw UntranslatableRequest("\(place).call_id is required") }
            let output = try Self.responseParts(item["output"]?.present, "\(place).output")
            messages.append(.tool(callID: id, content: output, isError: false))
        case "reasoning": break  // Another model's thoughts have no place in other formats.
        case "item_reference":
            throw UntranslatableRequest("\(place) refers to an item that is not kept here: send the item itself")
        case let type:
            throw UntranslatableRequest(
                "\(place).type \"\(type.excerpt)\" is not known to this model's provider: send messages, function calls "
                    + "and their outputs")
        }
    }

    private mutating func readMessage(_ item: JSONValue, _ place: String) throws(UntranslatableRequest) {
        let parts = try Self.responseParts(item["content"]?.present, "\(place).content")
        switch item["role"]?.string {
        case "user": messages.append(.user(parts))
        case "assistant":
            let text = try Self.text(of: parts, place)
            // An empty answer, sent back, says nothing; providers refuse it.
            if !text.isEmpty { addAssistant(text) }
        case "system", "developer":
            let text = try Self.text(of: parts, place)
            if !text.isEmpty { addSystem(text) }
        default: throw UntranslatableRequest("\(place).role must be user, assistant, system or developer")
        }
    }

    /// Adds a text to the assistant's turn where calls have begun one: their results must follow that turn at once.
    private mutating func addAssistant(_ text: String) {
        guard case .assistant(let said, let calls)? = messages.last, !calls.isEmpty else {
            return messages.append(.assistant(text: text, calls: []))
        }
        messages[messages.count - 1] = .assistant(text: said.isEmpty ? text : said + "\n\n" + text, calls: calls)
    }

    /// Adds a call to the assistant's turn, which has its texts and calls as items of their own in this format.
    private mutating func add(_ call: ChatToolCall) {
        guard case .assistant(let text, let calls)? = messages.last else {
            return messages.append(.assistant(text: "", calls: [call]))
        }
        messages[messages.count - 1] = .assistant(text: text, calls: calls + [call])
    }

    private static func text(of parts: [Part], _ place: String) throws(UntranslatableRequest) -> String {
        var text = ""
        for part in parts {
            guard case .text(let more) = part else {
                throw UntranslatableRequest("\(place).content must be text: images are for the user's messages")
            }
            text += more
        }
        return text
    }

    private static func responseParts(
        _ content: JSONValue?, _ place: String
    ) throws(UntranslatableRequest) -> [Part] {
        if let text = content?.string { return [.text(text)] }
        guard case .array(let values)? = content else {
            throw UntranslatableRequest("\(place) must be a string or an array of parts")
        }
        var parts: [Part] = []
        for (index, value) in values.enumerated() { parts.append(try responsePart(value, "\(place)[\(index)]")) }
        return parts
    }

    private static func responsePart(_ value: JSONValue, _ place: String) throws(UntranslatableRequest) -> Part {
        switch value["type"]?.string {
        case "input_text", "output_text", "text", "refusal":
            guard let text = value["text"]?.string ?? value["refusal"]?.string else {
                throw UntranslatableRequest("\(place).text must be a string")
            }
            return .text(text)
        case "input_image":
            guard let url = value["image_url"]?.string else {
                throw UntranslatableRequest("\(place).image_url must be a string: files are not kept here")
            }
            return .image(try image(url, "\(place).image_url"))
        default:
            throw UntranslatableRequest(
                "\(place).type must be input_text, output_text or input_image for this model's provider")
        }
    }
}
