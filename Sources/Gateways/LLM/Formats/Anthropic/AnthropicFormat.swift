package import Domain

/// Anthropic's Messages (docs.anthropic.com/en/api/messages).
package struct AnthropicFormat: ChatTranslator {
    /// The format requires a limit; this one is within that of every model.
    static let tokensDefault: UInt64 = 4096

    package init() {}

    package func path(of request: ChatRequest) -> String { "messages" }

    package var headers: [(name: String, value: String)] { [("anthropic-version", "2023-06-01")] }

    package func body(of request: ChatRequest) throws(UntranslatableRequest) -> JSONValue {
        let request = JSONAnswerTool.applied(to: request.withLeadingSystem)
        let system = request.system.filter { !$0.isBlank }
        return .members([
            "model": .string(request.model), "max_tokens": .number(request.tokensMax ?? Self.tokensDefault),
            "system": system.isEmpty ? nil : .string(system.joined(separator: "\n\n")),
            "messages": .array(try messages(request)),
            "tools": request.tools.isEmpty ? nil : .array(request.tools.map(Self.tool)),
            "tool_choice": Self.choice(request),
            "stop_sequences": request.visibleStop.isEmpty
                ? nil : .array(request.visibleStop.map { .string($0) }),
            "temperature": request.temperature.map { .number(Self.clamped($0)) },
            "top_p": request.topP.map { .number($0) },
            "metadata": request.user.map { .members(["user_id": .string(OpaqueUser.id(of: $0))]) },
            "stream": request.isStreamed ? .bool(true) : nil,
        ])
    }

    /// Temperatures go to 1 there, and to 2 in OpenAI's format.
    private static func clamped(_ temperature: String) -> String {
        (Double(temperature) ?? 0) > 1 ? "1" : temperature
    }

    /// Results of tools are the user's.
    private func messages(_ request: ChatRequest) throws(UntranslatableRequest) -> [JSONValue] {
        var turns = ChatTurns()
        for (index, message) in request.messages.enumerated() {
            switch message {
            case .system: break  // Among the leading ones.
            case .user(let parts):
                try turns.addUser(parts.compactMap(Self.block))
            case .assistant(let text, let calls):
                let isLast = index == request.messages.count - 1
                let said = Self.block(.text(isLast ? text.withoutTrailingSpace : text))
                turns.add("assistant", [said].compactMap(\.self) + calls.map(Self.block))
            case .tool(let id, let content, let isError):
                let result = JSONValue.members([
                    "type": .string("tool_result"), "tool_use_id": .string(AcceptedID.of(call: id)),
                    "content": .array(content.compactMap(Self.block)), "is_error": isError ? .bool(true) : nil,
                ])
                turns.add("user", [result])
            }
        }
        return turns.documents
    }

    /// `nil` for a blank text, which the provider refuses.
    private static func block(_ part: ChatRequest.Part) -> JSONValue? {
        switch part {
        case .text(let text): text.isBlank ? nil : .members(["type": .string("text"), "text": .string(text)])
        case .image(.data(let mediaType, let base64)):
            .members([
                "type": .string("image"),
                "source": .members([
                    "type": .string("base64"), "media_type": .string(mediaType), "data": .string(base64),
                ]),
            ])
        case .image(.url(let url)):
            .members([
                "type": .string("image"), "source": .members(["type": .string("url"), "url": .string(url)]),
            ])
        }
    }

    private static func block(_ call: ChatToolCall) -> JSONValue {
        .members([
            "type": .string("tool_use"), "id": .string(AcceptedID.of(call: call.id)), "name": .string(call.name),
            "input": call.arguments,
        ])
    }

    private static func tool(_ tool: ChatRequest.Tool) -> JSONValue {
        .members([
            "name": .string(tool.name), "description": tool.description.map { .string($0) },
            "input_schema": ToolSchema.ofObject(tool.parameters),
        ])
    }

    private static func choice(_ request: ChatRequest) -> JSONValue? {
        guard !request.tools.isEmpty else { return nil }
        let isSingle: JSONValue? = request.allowsParallelCalls == false ? .bool(true) : nil
        switch request.toolChoice {
        case .auto:
            return isSingle.map { .members(["type": .string("auto"), "disable_parallel_tool_use": $0]) }
        case .none: return .members(["type": .string("none")])
        case .required: return .members(["type": .string("any"), "disable_parallel_tool_use": isSingle])
        case .function(let name):
            return .members([
                "type": .string("tool"), "name": .string(name), "disable_parallel_tool_use": isSingle,
            ])
        }
    }

    package func answer(_ document: JSONValue, to request: ChatRequest) throws(UnreadableAnswer) -> ChatAnswer {
        let usage = AnthropicUsage(document["usage"]).tokens
        guard case .array(let content)? = document["content"] else {
            throw UnreadableAnswer("it has no content", usage: usage)
        }
        var answer = ChatAnswer(finish: Self.finish(document["stop_reason"]?.string), usage: usage)
        for block in content {
            switch block["type"]?.string {
            case "text": answer.text += block["text"]?.string ?? ""
            case "tool_use":
                guard let id = block["id"]?.string, let name = block["name"]?.string else {
                    throw UnreadableAnswer("a tool_use has no id or no name", usage: usage)
                }
                answer.calls.append(ChatToolCall(id: id, name: name, arguments: block["input"] ?? .object([])))
            default: break  // Thinking has no place in OpenAI's format.
            }
        }
        return JSONAnswerTool.read(answer)
    }

    static func finish(_ reason: String?) -> FinishReason {
        switch reason {
        case "max_tokens", "model_context_window_exceeded": .length
        case "tool_use": .toolCalls
        case "refusal": .contentFilter
        default: .stop
        }
    }

    package func stream() -> any ChatStream { AnthropicStream() }
}
