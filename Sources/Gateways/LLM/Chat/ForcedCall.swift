import Domain

/// A call that the caller forces, for providers that know no such choice: the model answers in the JSON of the call.
///
/// A stream of several tools' JSON is held until its end, because the tool's name is in it.
package struct ForcedCall: Sendable {
    private let tools: [ChatRequest.Tool]
    private var held = ""
    private var state = State.waiting

    private enum State {
        case waiting, calling
        /// The answer is passed on as the text that it is.
        case passing
    }

    /// `nil` when the request leaves the choice to the model, or forces a tool that it does not have.
    package init?(_ request: ChatRequest) {
        switch request.toolChoice {
        case .auto, .none: return nil
        case .required: tools = request.tools
        case .function(let name): tools = request.tools.filter { $0.name == name }
        }
        guard !tools.isEmpty else { return nil }
    }

    /// The request for an answer that follows the schema of the call.
    package func applied(to request: ChatRequest) -> ChatRequest {
        var request = request
        let described = tools.map { "\($0.name)\($0.description.map { " (\($0))" } ?? "")" }
        request.tools = []
        request.toolChoice = .auto
        request.answerFormat = .schema(ChatRequest.AnswerSchema(schema))
        request.system.append(
            tools.count == 1
                ? "Call the tool \(described[0]). Answer with its arguments and nothing else, "
                    + "valid against this JSON schema: \(schema.text.text)"
                : "Call one of these tools: \(described.joined(separator: "; ")). Answer with its name and arguments "
                    + "and nothing else, valid against this JSON schema: \(schema.text.text)")
        return request
    }

    private var schema: JSONValue {
        let calls = tools.map { tool in
            JSONValue.members([
                "type": .string("object"),
                "properties": .members([
                    "name": .members(["type": .string("string"), "enum": .array([.string(tool.name)])]),
                    "arguments": ToolSchema.ofObject(tool.parameters),
                ]),
                "required": .array([.string("name"), .string("arguments")]),
            ])
        }
        return tools.count == 1 ? ToolSchema.ofObject(tools[0].parameters) : .members(["anyOf": .array(calls)])
    }

    /// The answer with the call in the place of its JSON. JSON that the limit of tokens cut off is no call.
    package func read(_ answer: ChatAnswer) -> ChatAnswer {
        var answer = answer
        if let call = call(in: answer.text) {
            answer.calls = [call]
            answer.text = ""
            if answer.finish == .stop { answer.finish = .toolCalls }
        } else if answer.finish == .length {
            answer.text = ""
        }
        return answer
    }

    private func call(in text: String) -> ChatToolCall? {
        guard let value = try? JSONValue(parsing: Array(text.utf8), .surrogates), case .object = value else {
            return nil
        }
        if tools.count == 1 { return ChatToolCall(id: CallFragments.newID(), name: tools[0].name, arguments: value) }
        guard let name = value["name"]?.string, tools.contains(where: { $0.name == name }),
            let arguments = value["arguments"], case .object = arguments
        else { return nil }
        return ChatToolCall(id: CallFragments.newID(), name: name, arguments: arguments)
    }

    /// The parts that a part of a stream stands for.
    package mutating func read(_ delta: ChatDelta) -> [ChatDelta] {
        switch (delta, state) {
        case (.text(let text), .waiting) where tools.count == 1:
            state = .calling
            return [.callBegun(0, id: CallFragments.newID(), name: tools[0].name), .callArguments(0, text)]
        case (.text(let text), .calling): return [.callArguments(0, text)]
        case (.text(let text), .waiting):
            held += text
            guard held.utf8.count > StreamLimits.eventBytesMax else { return [] }
            state = .passing
            return [.text(held)]
        case (.finish(.stop), .calling): return [.finish(.toolCalls)]
        case (.finish(let reason), .waiting) where !held.isEmpty: return finish(reason)
        default: return [delta]
        }
    }

    private mutating func finish(_ reason: FinishReason) -> [ChatDelta] {
        state = .passing
        return read(ChatAnswer(text: held, finish: reason)).deltas
    }
}
