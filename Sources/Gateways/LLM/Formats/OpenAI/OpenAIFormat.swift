package import Domain

/// OpenAI's chat completions (platform.openai.com/docs/api-reference/chat), for what was asked in another's words.
package struct OpenAIFormat: ChatTranslator {
    /// False for the services of others that speak the format.
    let isOpenAI: Bool

    /// True for OpenAI's models at Azure.
    let isAzure: Bool

    /// True for Mistral's service, and others that accept no other ids of calls than it does.
    let isMistral: Bool

    package init(isOpenAI: Bool, isAzure: Bool = false, isMistral: Bool = false) {
        self.isOpenAI = isOpenAI
        self.isAzure = isAzure
        self.isMistral = isMistral
    }

    private func accepted(_ callID: String) -> String {
        isMistral ? MistralCallID.of(call: callID) : AcceptedID.of(call: callID)
    }

    /// The name of the limit of tokens: OpenAI's newer models know no `max_tokens`, other services know nothing else.
    private var limitName: String { isOpenAI || isAzure ? "max_completion_tokens" : "max_tokens" }

    package func path(of request: ChatRequest) -> String { "chat/completions" }

    package var headers: [(name: String, value: String)] { [] }

    package func body(of request: ChatRequest) throws(UntranslatableRequest) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init(name: "model", value: .string(request.model)),
            .init(name: "messages", value: .array(messages(request))),
        ]
        func add(_ name: String, _ value: JSONValue?) {
            if let value { members.append(.init(name: name, value: value)) }
        }
        if !request.tools.isEmpty {
            add("tools", .array(request.tools.map(Self.tool)))
            add("tool_choice", Self.choice(request.toolChoice))
            add("parallel_tool_calls", request.allowsParallelCalls.map { .bool($0) })
        }
        add(limitName, request.tokensMax.map { .number($0) })
        add("temperature", request.temperature.map { .number($0) })
        add("top_p", request.topP.map { .number($0) })
        add("seed", request.seed.map { .number($0) })
        add("stop", request.stop.isEmpty ? nil : .array(request.stop.map { .string($0) }))
        // Other services refuse members that they do not know, and this one only tells users apart.
        add("user", isOpenAI ? request.user.map { .string(OpaqueUser.id(of: $0)) } : nil)
        add("response_format", Self.format(request.answerFormat))
        // Other services refuse members that they do not know.
        if isOpenAI { add("reasoning_effort", request.reasoningEffort.map { .string($0) }) }
        if request.isStreamed {
            add("stream", .bool(true))
            add("stream_options", .members(["include_usage": .bool(true)]))
        }
        return .object(members)
    }

    private func messages(_ request: ChatRequest) -> [JSONValue] {
        var messages = request.system.map(Self.system)
        var images = ResultImages()
        for message in request.messages {
            switch message {
            case .tool, .user: break
            case .assistant, .system: if let shown = images.take() { messages.append(Self.user(shown)) }
            }
            switch message {
            case .user(let parts): messages.append(Self.user((images.take() ?? []) + parts))
            case .assistant(let text, let calls):
                messages.append(
                    .members([
                        "role": .string("assistant"), "content": text.isEmpty ? .null : .string(text),
                        "tool_calls": calls.isEmpty ? nil : .array(calls.map { $0.openAI(id: accepted($0.id)) }),
                    ]))
            case .system(let text): messages.append(Self.system(text))
            case .tool(let id, let parts, let isError):
                let id = accepted(id)
                let text = images.text(of: parts, call: id)
                messages.append(
                    .members([
                        "role": .string("tool"), "tool_call_id": .string(id),
                        "content": .string(isError ? FailedResult.prefix + text : text),
                    ]))
            }
        }
        return messages + (images.take().map { [Self.user($0)] } ?? [])
    }

    private static func user(_ parts: [ChatRequest.Part]) -> JSONValue {
        .members(["role": .string("user"), "content": content(parts)])
    }

    private static func system(_ text: String) -> JSONValue {
        .members(["role": .string("system"), "content": .string(text)])
    }

    private static func content(_ parts: [ChatRequest.Part]) -> JSONValue {
        if parts.count == 1, case .text(let text)? = parts.first { return .string(text) }
        return .array(
            parts.map { part in
                switch part {
                case .text(let text): .members(["type": .string("text"), "text": .string(text)])
                case .image(let image):
                    .members(["type": .string("image_url"), "image_url": .members(["url": .string(url(image))])])
                }
            })
    }

    private static func url(_ image: ChatRequest.Image) -> String {
        switch image {
        case .data(let mediaType, let base64): "data:\(mediaType);base64,\(base64)"
        case .url(let url): url
        }
    }

    private static func tool(_ tool: ChatRequest.Tool) -> JSONValue {
        .members([
            "type": .string("function"),
            "function": .members([
                "name": .string(tool.name), "description": tool.description.map { .string($0) },
                "parameters": ToolSchema.ofObject(tool.parameters), "strict": tool.isStrict.map { .bool($0) },
            ]),
        ])
    }

    private static func choice(_ choice: ChatRequest.ToolChoice) -> JSONValue? {
        switch choice {
        case .auto: nil
        case .none: .string("none")
        case .required: .string("required")
        case .function(let name):
            .members(["type": .string("function"), "function": .members(["name": .string(name)])])
        }
    }

    private static func format(_ format: ChatRequest.AnswerFormat) -> JSONValue? {
        switch format {
        case .text: nil
        case .json: .members(["type": .string("json_object")])
        case .schema(let schema):
            .members([
                "type": .string("json_schema"),
                "json_schema": .members([
                    "name": .string(schema.name ?? "answer"), "schema": schema.schema,
                    "strict": schema.isStrict.map { .bool($0) },
                ]),
            ])
        }
    }

    package func answer(_ document: JSONValue, to request: ChatRequest) throws(UnreadableAnswer) -> ChatAnswer {
        guard let choice = document["choices"]?.elements.first, let message = choice["message"]?.present else {
            throw UnreadableAnswer("it has no choice with a message", usage: TokenUsage(document["usage"]))
        }
        var answer = ChatAnswer(
            text: Self.text(message), finish: Self.finish(choice["finish_reason"]?.string),
            usage: TokenUsage(document["usage"]))
        for call in Self.calls(of: message) {
            guard let name = call["function"]?["name"]?.string, !name.isEmpty else {
                throw UnreadableAnswer("a tool call has no name", usage: answer.usage)
            }
            let text = CallFragments.arguments(call["function"]?["arguments"])
            let arguments = try? JSONValue(parsing: Array((text.isEmpty ? "{}" : text).utf8), .surrogates)
            guard case .object? = arguments, let arguments else {
                // Arguments that the limit of tokens cut off are no call that could be made.
                if answer.finish == .length { continue }
                throw UnreadableAnswer(
                    "the arguments of a call of \(name.excerpt) are not a JSON object", usage: answer.usage)
            }
            let id = call["id"]?.string.flatMap { $0.isEmpty ? nil : $0 } ?? CallFragments.newID()
            answer.calls.append(ChatToolCall(id: id, name: name, arguments: arguments))
        }
        if !answer.calls.isEmpty, answer.finish == .stop { answer.finish = .toolCalls }
        return answer
    }

    /// The calls of a message or of a part of one; older services have one, without an id, in `function_call`.
    static func calls(of message: JSONValue?) -> [JSONValue] {
        let calls = message?["tool_calls"]?.elements ?? []
        guard calls.isEmpty, let call = message?["function_call"]?.present else { return calls }
        return [.members(["function": call])]
    }

    /// The text of a message or a part of one: a string, or parts that have texts.
    static func text(_ message: JSONValue?) -> String {
        if let parts = message?["content"]?.elements, !parts.isEmpty {
            return parts.compactMap { $0["text"]?.string }.joined()
        }
        return message?["content"]?.string ?? message?["refusal"]?.string ?? ""
    }

    static func finish(_ reason: String?) -> FinishReason { reason.flatMap(FinishReason.init(rawValue:)) ?? .stop }

    package func stream() -> any ChatStream { OpenAIStream() }
}
