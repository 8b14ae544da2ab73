package import Domain

/// Ollama's chat (github.com/ollama/ollama, docs/api.md, "Generate a chat completion").
package struct OllamaFormat: ChatTranslator {
    package init() {}

    package func path(of request: ChatRequest) -> String { "api/chat" }

    package var headers: [(name: String, value: String)] { [] }

    package var forcesCalls: Bool { false }

    package func body(of request: ChatRequest) throws(UntranslatableRequest) -> JSONValue {
        let options: [JSONValue.Member] = [
            request.tokensMax.map { .init(name: "num_predict", value: .number($0)) },
            request.temperature.map { .init(name: "temperature", value: .number($0)) },
            request.topP.map { .init(name: "top_p", value: .number($0)) },
            request.seed.map { .init(name: "seed", value: .number($0)) },
            request.stop.isEmpty ? nil : .init(name: "stop", value: .array(request.stop.map { .string($0) })),
        ].compactMap(\.self)
        return .members([
            "model": .string(request.model), "messages": .array(try messages(request)),
            "tools": try Self.tools(request),
            "format": Self.format(request.answerFormat), "options": options.isEmpty ? nil : .object(options),
            "stream": .bool(request.isStreamed),
        ])
    }

    private func messages(_ request: ChatRequest) throws(UntranslatableRequest) -> [JSONValue] {
        var messages = request.system.map { text in
            JSONValue.members(["role": .string("system"), "content": .string(text)])
        }
        // Results are matched by the tool's name there.
        var names: [String: String] = [:]
        for message in request.messages {
            switch message {
            case .user(let parts): messages.append(try Self.message("user", parts))
            case .assistant(let text, let calls):
                for call in calls { names[call.id] = call.name }
                messages.append(
                    .members([
                        "role": .string("assistant"), "content": .string(text),
                        "tool_calls": calls.isEmpty ? nil : .array(calls.map(Self.call)),
                    ]))
            case .system(let text): messages.append(.members(["role": .string("system"), "content": .string(text)]))
            case .tool(let id, let content, let isError):
                guard let name = names[id] else {
                    throw UntranslatableRequest("no call before has the tool_call_id \"\(id.excerpt)\"")
                }
                let parts = (isError ? [.text(FailedResult.prefix)] : []) + content
                messages.append(try Self.message("tool", parts, [.init(name: "tool_name", value: .string(name))]))
            }
        }
        return messages
    }

    private static func message(
        _ role: String, _ parts: [ChatRequest.Part], _ more: [JSONValue.Member] = []
    ) throws(UntranslatableRequest) -> JSONValue {
        var (text, images) = ("", [JSONValue]())
        for part in parts {
            switch part {
            case .text(let more): text += more
            case .image(.data(_, let base64)): images.append(.string(base64))
            case .image(.url): throw UntranslatableRequest("Ollama fetches no images: send them as data URLs")
            }
        }
        var members: [JSONValue.Member] = [
            .init(name: "role", value: .string(role)), .init(name: "content", value: .string(text)),
        ]
        if !images.isEmpty { members.append(.init(name: "images", value: .array(images))) }
        return .object(members + more)
    }

    private static func call(_ call: ChatToolCall) -> JSONValue {
        .members(["function": .members(["name": .string(call.name), "arguments": call.arguments])])
    }

    private static func tools(_ request: ChatRequest) throws(UntranslatableRequest) -> JSONValue? {
        switch request.toolChoice {
        case .auto: break
        case .none: return nil
        case .required, .function:
            throw UntranslatableRequest("tool_choice forces a tool that is not among tools")
        }
        guard !request.tools.isEmpty else { return nil }
        return .array(
            request.tools.map { tool in
                .members([
                    "type": .string("function"),
                    "function": .members([
                        "name": .string(tool.name), "description": tool.description.map { .string($0) },
                        "parameters": ToolSchema.ofObject(tool.parameters),
                    ]),
                ])
            })
    }

    private static func format(_ format: ChatRequest.AnswerFormat) -> JSONValue? {
        switch format {
        case .text: nil
        case .json: .string("json")
        case .schema(let schema): schema.schema
        }
    }

    package func answer(_ document: JSONValue, to request: ChatRequest) throws(UnreadableAnswer) -> ChatAnswer {
        guard let message = document["message"]?.present else {
            throw UnreadableAnswer("it has no message", usage: Self.usage(document))
        }
        let calls = Self.calls(message, from: 0)
        return ChatAnswer(
            text: message["content"]?.string ?? "", calls: calls,
            finish: Self.finish(document["done_reason"]?.string, hasCalls: !calls.isEmpty),
            usage: Self.usage(document))
    }

    /// Calls have no ids in older versions: their numbers in this answer, with something that no other answer has.
    static func calls(_ message: JSONValue, from first: Int) -> [ChatToolCall] {
        (message["tool_calls"]?.elements ?? []).enumerated().compactMap { index, call in
            guard let function = call["function"], let name = function["name"]?.string else { return nil }
            let id =
                call["id"]?.string ?? "call_\(String(UInt64.random(in: 0...UInt64.max), radix: 36))_\(first + index)"
            return ChatToolCall(id: id, name: name, arguments: function["arguments"] ?? .object([]))
        }
    }

    static func finish(_ reason: String?, hasCalls: Bool) -> FinishReason {
        if hasCalls { return .toolCalls }
        return reason == "length" ? .length : .stop
    }

    static func usage(_ document: JSONValue) -> TokenUsage? {
        // A prompt that is in the cache as a whole is not counted by it.
        guard let completion = document["eval_count"]?.unsigned else { return nil }
        return TokenUsage(prompt: document["prompt_eval_count"]?.unsigned ?? 0, completion: completion)
    }

    package func stream() -> any ChatStream { OllamaStream() }

    package var streamsDocuments: Bool { true }
}

/// Reads the stream of Ollama's chat: an object a line.
struct OllamaStream: ChatStream {
    private var lines = LineFrames(lineBytesMax: StreamLimits.eventBytesMax)
    private var callCount = 0
    private(set) var isComplete = false

    mutating func read(_ bytes: [UInt8], into deltas: inout [ChatDelta]) throws(BrokenStream) {
        for line in try lines.read(bytes) where !line.isEmpty {
            let event = try JSONValue(event: line)
            if let error = event["error"]?.string { throw BrokenStream(error) }
            guard let message = event["message"] else { continue }
            if let text = message["content"]?.string, !text.isEmpty { deltas.append(.text(text)) }
            for call in OllamaFormat.calls(message, from: callCount) {
                deltas.append(.callBegun(callCount, id: call.id, name: call.name))
                deltas.append(.callArguments(callCount, call.arguments.text.text))
                callCount += 1
            }
            guard event["done"]?.isTrue == true else { continue }
            deltas.append(.finish(OllamaFormat.finish(event["done_reason"]?.string, hasCalls: callCount > 0)))
            if let usage = OllamaFormat.usage(event) { deltas.append(.usage(usage)) }
            isComplete = true
        }
    }

    /// Reads a last line without an end.
    mutating func finish(into deltas: inout [ChatDelta]) throws(BrokenStream) {
        try read([UInt8(ascii: "\n")], into: &deltas)
    }
}
