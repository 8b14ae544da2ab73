package import Domain

/// Google Gemini's `generateContent` (ai.google.dev/api/generate-content).
package struct GeminiFormat: ChatTranslator {
    package init() {}

    package func path(of request: ChatRequest) -> String {
        Self.path(
            model: request.model, operation: request.isStreamed ? "streamGenerateContent?alt=sse" : "generateContent")
    }

    static func path(model: String, operation: String) -> String {
        "models/\(plainName(model).percentEncoded):\(operation)"
    }

    /// Google's lists name models with their collection.
    static func plainName(_ model: String) -> String {
        model.hasPrefix("models/") ? String(model.dropFirst("models/".count)) : model
    }

    /// False for models before Gemini 3, which have no signed calls, no images in results, and no JSON beside tools.
    static func isCurrent(_ model: String) -> Bool {
        let name = plainName(model)
        return !["gemini-1", "gemini-2", "gemma", "learnlm"].contains(where: name.hasPrefix)
    }

    package var headers: [(name: String, value: String)] { [] }

    package var readsCallSignatures: Bool { true }

    package func body(of request: ChatRequest) throws(UntranslatableRequest) -> JSONValue {
        var request = request.withLeadingSystem
        if !request.tools.isEmpty, !Self.isCurrent(request.model) { request = JSONAnswerTool.applied(to: request) }
        let system = request.system.filter { !$0.isBlank }
        return .members([
            "contents": .array(try GeminiContents(request).documents),
            "systemInstruction": system.isEmpty
                ? nil : .members(["parts": .array(system.map { .members(["text": .string($0)]) })]),
            "tools": request.tools.isEmpty
                ? nil : .array([.members(["functionDeclarations": .array(request.tools.map(Self.tool))])]),
            "toolConfig": request.tools.isEmpty ? nil : Self.choice(request.toolChoice),
            "generationConfig": Self.generation(request),
        ])
    }

    private static func tool(_ tool: ChatRequest.Tool) -> JSONValue {
        .members([
            "name": .string(tool.name), "description": tool.description.map { .string($0) },
            "parametersJsonSchema": GeminiSchema.prepared(ToolSchema.ofObject(tool.parameters)),
        ])
    }

    private static func choice(_ choice: ChatRequest.ToolChoice) -> JSONValue? {
        let config: JSONValue
        switch choice {
        case .auto: return nil
        case .none: config = .members(["mode": .string("NONE")])
        case .required: config = .members(["mode": .string("ANY")])
        case .function(let name):
            config = .members(["mode": .string("ANY"), "allowedFunctionNames": .array([.string(name)])])
        }
        return .members(["functionCallingConfig": config])
    }

    private static func generation(_ request: ChatRequest) -> JSONValue? {
        var members: [JSONValue.Member] = []
        func add(_ name: String, _ value: JSONValue?) {
            if let value { members.append(.init(name: name, value: value)) }
        }
        add("maxOutputTokens", request.tokensMax.map { .number($0) })
        add("temperature", request.temperature.map { .number($0) })
        add("topP", request.topP.map { .number($0) })
        add("seed", request.seed.map { .number($0) })
        add("stopSequences", request.stop.isEmpty ? nil : .array(request.stop.map { .string($0) }))
        switch request.answerFormat {
        case .text: break
        case .json: add("responseMimeType", .string("application/json"))
        case .schema(let schema):
            add("responseMimeType", .string("application/json"))
            add("responseJsonSchema", GeminiSchema.prepared(schema.schema))
        }
        return members.isEmpty ? nil : .object(members)
    }

    package func answer(_ document: JSONValue, to request: ChatRequest) throws(UnreadableAnswer) -> ChatAnswer {
        var reader = GeminiReader()
        var deltas: [ChatDelta] = []
        // A stream without `alt=sse` is an array of its parts.
        let parts = document.elements.isEmpty ? [document] : document.elements
        let usage = parts.compactMap { GeminiUsage.tokens($0["usageMetadata"]) }.last
        do throws(BrokenStream) {
            for part in parts { deltas += try reader.read(part) }
        } catch {
            throw UnreadableAnswer(error.reason, usage: usage)
        }
        guard reader.isFinished else {
            throw UnreadableAnswer("it has no candidate that is finished", usage: usage)
        }
        var answer = ChatAnswer(finish: .stop)
        for delta in deltas {
            switch delta {
            case .text(let text): answer.text += text
            case .callBegun(_, let id, let name):
                answer.calls.append(ChatToolCall(id: id, name: name, arguments: .object([])))
            case .callArguments(let number, let text):
                if let arguments = try? JSONValue(parsing: Array(text.utf8), .surrogates) {
                    answer.calls[number].arguments = arguments
                }
            case .finish(let reason): answer.finish = reason
            case .usage(let usage): answer.usage = usage
            }
        }
        return answer
    }

    package func stream() -> any ChatStream { GeminiStream() }
}
