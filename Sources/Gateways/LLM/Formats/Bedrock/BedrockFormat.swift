package import Domain

/// Amazon Bedrock's Converse (docs.aws.amazon.com/bedrock, "API_runtime_Converse").
package struct BedrockFormat: ChatTranslator {
    package init() {}

    package func path(of request: ChatRequest) -> String {
        Self.path(model: request.model, operation: request.isStreamed ? "converse-stream" : "converse")
    }

    static func path(model: String, operation: String) -> String { "model/\(model.percentEncoded)/\(operation)" }

    package var headers: [(name: String, value: String)] { [] }

    package func body(of request: ChatRequest) throws(UntranslatableRequest) -> JSONValue {
        let request = JSONAnswerTool.applied(to: request.withLeadingSystem)
        let system = request.system.filter { !$0.isBlank }
        let inference: [JSONValue.Member] = [
            request.tokensMax.map { .init(name: "maxTokens", value: .number($0)) },
            request.temperature.map { .init(name: "temperature", value: .number($0)) },
            request.topP.map { .init(name: "topP", value: .number($0)) },
            request.visibleStop.isEmpty
                ? nil : .init(name: "stopSequences", value: .array(request.visibleStop.map { .string($0) })),
        ].compactMap(\.self)
        return .members([
            "messages": .array(try messages(request)),
            "system": system.isEmpty ? nil : .array(system.map { .members(["text": .string($0)]) }),
            "inferenceConfig": inference.isEmpty ? nil : .object(inference),
            "toolConfig": try Self.tools(request),
        ])
    }

    /// Results of tools are the user's.
    private func messages(_ request: ChatRequest) throws(UntranslatableRequest) -> [JSONValue] {
        var turns = ChatTurns()
        for (index, message) in request.messages.enumerated() {
            switch message {
            case .system: break  // Among the leading ones.
            case .user(let parts): try turns.addUser(try Self.blocks(parts))
            case .assistant(let text, let calls):
                let isLast = index == request.messages.count - 1
                let said = try Self.blocks([.text(isLast ? text.withoutTrailingSpace : text)])
                turns.add("assistant", said + calls.map(Self.block))
            case .tool(let id, let content, let isError):
                let result = JSONValue.members([
                    "toolUseId": .string(AcceptedID.of(call: id)), "content": .array(try Self.blocks(content)),
                    "status": isError ? .string("error") : nil,
                ])
                turns.add("user", [.members(["toolResult": result])])
            }
        }
        return turns.documents
    }

    private static func blocks(_ parts: [ChatRequest.Part]) throws(UntranslatableRequest) -> [JSONValue] {
        var blocks: [JSONValue] = []
        for part in parts {
            switch part {
            case .text(let text): if !text.isBlank { blocks.append(.members(["text": .string(text)])) }
            case .image(.data(let mediaType, let base64)):
                let format = mediaType.hasPrefix("image/") ? String(mediaType.dropFirst("image/".count)) : mediaType
                guard ["png", "jpeg", "gif", "webp"].contains(format) else {
                    throw UntranslatableRequest(
                        "Bedrock takes images of type png, jpeg, gif and webp, not \(format.excerpt)")
                }
                blocks.append(
                    .members([
                        "image": .members([
                            "format": .string(format), "source": .members(["bytes": .string(base64)]),
                        ])
                    ]))
            case .image(.url):
                throw UntranslatableRequest("Bedrock fetches no images: send them as data URLs")
            }
        }
        return blocks
    }

    private static func block(_ call: ChatToolCall) -> JSONValue {
        .members([
            "toolUse": .members([
                "toolUseId": .string(AcceptedID.of(call: call.id)), "name": .string(call.name), "input": call.arguments,
            ])
        ])
    }

    private static func tools(_ request: ChatRequest) throws(UntranslatableRequest) -> JSONValue? {
        let hasCalls = request.messages.contains { message in
            if case .assistant(_, let calls) = message { !calls.isEmpty } else { false }
        }
        let choice: JSONValue?
        switch request.toolChoice {
        case .auto: choice = nil
        case .none:
            // Bedrock has no such choice: without tools there is nothing to choose.
            guard !hasCalls else {
                throw UntranslatableRequest(
                    "tool_choice none is not known to Bedrock when the messages have calls of tools: leave it out")
            }
            return nil
        case .required: choice = .members(["any": .object([])])
        case .function(let name): choice = .members(["tool": .members(["name": .string(name)])])
        }
        guard !request.tools.isEmpty else {
            guard !hasCalls else {
                throw UntranslatableRequest("Bedrock needs the tools again whose calls the messages have: send tools")
            }
            return nil
        }
        let tools = request.tools.map { tool in
            JSONValue.members([
                "toolSpec": .members([
                    "name": .string(tool.name), "description": tool.description.map { .string($0) },
                    "inputSchema": .members(["json": ToolSchema.ofObject(tool.parameters)]),
                ])
            ])
        }
        return .members(["tools": .array(tools), "toolChoice": choice])
    }

    package func answer(_ document: JSONValue, to request: ChatRequest) throws(UnreadableAnswer) -> ChatAnswer {
        let usage = Self.usage(document["usage"])
        guard case .array(let content)? = document["output"]?["message"]?["content"] else {
            throw UnreadableAnswer("it has no output.message.content", usage: usage)
        }
        var answer = ChatAnswer(finish: Self.finish(document["stopReason"]?.string), usage: usage)
        for block in content {
            if let text = block["text"]?.string { answer.text += text }
            guard let call = block["toolUse"] else { continue }
            guard let id = call["toolUseId"]?.string, let name = call["name"]?.string else {
                throw UnreadableAnswer("a toolUse has no toolUseId or no name", usage: usage)
            }
            answer.calls.append(ChatToolCall(id: id, name: name, arguments: call["input"] ?? .object([])))
        }
        return JSONAnswerTool.read(answer)
    }

    static func finish(_ reason: String?) -> FinishReason {
        switch reason {
        case "max_tokens", "model_context_window_exceeded": .length
        case "tool_use": .toolCalls
        case "guardrail_intervened", "content_filtered": .contentFilter
        default: .stop
        }
    }

    /// Tokens read from a cache or written to it are counted beside the input there, and within the prompt here.
    static func usage(_ usage: JSONValue?) -> TokenUsage? {
        guard let input = usage?["inputTokens"]?.unsigned else { return nil }
        let read = usage?["cacheReadInputTokens"]?.unsigned ?? 0
        func written(for time: String) -> UInt64 {
            let details = usage?["cacheDetails"]?.elements ?? []
            return details.filter { $0["ttl"]?.string == time }.map { $0["inputTokens"]?.unsigned ?? 0 }.billed
        }
        let writes = CacheWrites(
            total: usage?["cacheWriteInputTokens"]?.unsigned ?? 0, short: written(for: "5m"), hour: written(for: "1h"))
        return TokenUsage(
            prompt: [input, read, writes.total].billed, completion: usage?["outputTokens"]?.unsigned ?? 0,
            cached: read, details: TokenUsage.Details(cacheWrite: writes.short, cacheWriteHour: writes.hour))
    }

    package func stream() -> any ChatStream { BedrockStream() }
}
