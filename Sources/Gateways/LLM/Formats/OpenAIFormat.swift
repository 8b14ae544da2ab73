package import Domain

/// OpenAI's chat completions (platform.openai.com/docs/api-reference/chat), for what was asked in another's words.
package struct OpenAIFormat: ChatTranslator {
    /// What the limit of tokens is called: OpenAI's newer models know no `max_tokens`, other services know nothing else.
    private let limitName: String

    package init(isOpenAI: Bool) { limitName = isOpenAI ? "max_completion_tokens" : "max_tokens" }

    package func path(of request: ChatRequest) -> String { "chat/completions" }

    package var headers: [(name: String, value: String)] { [] }

    package func body(of request: ChatRequest) throws(UntranslatableRequest) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init(name: "model", value: .string(request.model)),
            .init(name: "messages", value: .array(try messages(request))),
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
        add("user", request.user.map { .string($0) })
        add("response_format", Self.format(request.answerFormat))
        if request.isStreamed {
            add("stream", .bool(true))
            add("stream_options", .members(["include_usage": .bool(true)]))
        }
        return .object(members)
    }

    private func messages(_ request: ChatRequest) throws(UntranslatableRequest) -> [JSONValue] {
        var messages = request.system.map { text in
            JSONValue.members(["role": .string("system"), "content": .string(text)])
        }
        for message in request.messages {
            switch message {
            case .user(let parts):
                messages.append(.members(["role": .string("user"), "content": Self.content(parts)]))
            case .assistant(let text, let calls):
                messages.append(
                    .members([
                        "role": .string("assistant"), "content": text.isEmpty ? .null : .string(text),
                        "tool_calls": calls.isEmpty ? nil : .array(calls.map(\.openAI)),
                    ]))
            case .tool(let id, let parts):
                var text = ""
                for part in parts {
                    guard case .text(let more) = part else {
                        throw UntranslatableRequest("a tool's result must be text for this model's provider")
                    }
                    text += more
                }
                messages.append(
                    .members(["role": .string("tool"), "tool_call_id": .string(id), "content": .string(text)]))
            }
        }
        return messages
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
                "parameters": tool.parameters,
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
                "json_schema": .members(["name": .string("answer"), "schema": schema, "strict": .bool(true)]),
            ])
        }
    }

    package func answer(_ document: JSONValue, to request: ChatRequest) throws(UnreadableAnswer) -> ChatAnswer {
        guard let choice = document["choices"]?.elements.first, let message = choice["message"]?.present else {
            throw UnreadableAnswer("it has no choice with a message")
        }
        var answer = ChatAnswer(
            text: message["content"]?.string ?? message["refusal"]?.string ?? "",
            finish: choice["finish_reason"]?.string.flatMap { FinishReason(rawValue: $0) } ?? .stop,
            usage: TokenUsage(document["usage"]))
        for call in message["tool_calls"]?.elements ?? [] {
            guard let id = call["id"]?.string, let name = call["function"]?["name"]?.string else {
                throw UnreadableAnswer("a call of a tool has no id or no name")
            }
            let text = call["function"]?["arguments"]?.string ?? ""
            guard let arguments = try? JSONValue(parsing: Array((text.isEmpty ? "{}" : text).utf8), .surrogates) else {
                throw UnreadableAnswer("the arguments of a call of a tool are no JSON")
            }
            answer.calls.append(ChatToolCall(id: id, name: name, arguments: arguments))
        }
        return answer
    }

    package func stream() -> any ChatStream { OpenAIStream() }

    package func errorMessage(_ document: JSONValue) -> String? {
        document["error"]?["message"]?.string ?? document["error"]?.string
    }
}

/// Reads the stream of OpenAI's chat completions.
struct OpenAIStream: ChatStream {
    private var events = ServerSentEvents(bytesMax: StreamLimits.eventBytesMax)
    /// The calls that have begun, by their index there.
    private var calls: [UInt64: Int] = [:]
    private(set) var isComplete = false

    mutating func read(_ bytes: [UInt8], into deltas: inout [ChatDelta]) throws(BrokenStream) {
        for data in try events.read(bytes) {
            guard !data.elementsEqual("[DONE]".utf8) else {
                isComplete = true
                continue
            }
            try read(JSONValue(event: data), into: &deltas)
        }
    }

    private mutating func read(_ chunk: JSONValue, into deltas: inout [ChatDelta]) throws(BrokenStream) {
        if let error = chunk["error"]?.present {
            throw BrokenStream(error["message"]?.string ?? error.string ?? "the provider reports an error")
        }
        if let choice = chunk["choices"]?.elements.first {
            let delta = choice["delta"]
            if let text = delta?["content"]?.string ?? delta?["refusal"]?.string, !text.isEmpty {
                deltas.append(.text(text))
            }
            for call in delta?["tool_calls"]?.elements ?? [] { readCall(call, into: &deltas) }
            if let reason = choice["finish_reason"]?.string {
                deltas.append(.finish(FinishReason(rawValue: reason) ?? .stop))
            }
        }
        if let usage = TokenUsage(chunk["usage"]) { deltas.append(.usage(usage)) }
    }

    private mutating func readCall(_ call: JSONValue, into deltas: inout [ChatDelta]) {
        let index = call["index"]?.unsigned ?? 0
        if calls[index] == nil, let id = call["id"]?.string, let name = call["function"]?["name"]?.string {
            deltas.append(.callBegun(calls.count, id: id, name: name))
            calls[index] = calls.count
        }
        if let number = calls[index], let text = call["function"]?["arguments"]?.string, !text.isEmpty {
            deltas.append(.callArguments(number, text))
        }
    }
}
