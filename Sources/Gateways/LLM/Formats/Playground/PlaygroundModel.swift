import Domain

/// A model that is none: it answers by rule, always the same, so that a first agent, a demo and a test need no account.
///
/// It says what it is in each answer. Asked with tools it calls the one that it was told to, that the message names, or
/// that is the only one; given what came of a call it says that. Arguments are the JSON object that the message has, or
/// what the schema requires, made of the message.
struct PlaygroundModel: LocalModel {
    private static let label = "[playground]"
    var fingerprint: String { "sluice-playground" }

    func answer(_ request: ChatRequest) -> ChatAnswer {
        var answer = ChatAnswer(finish: .stop)
        if let call = Self.call(request) {
            answer.calls = [call]
            answer.finish = .toolCalls
        } else {
            answer.text = Self.cut(Self.text(request), to: request.tokensMax, &answer.finish)
        }
        answer.usage = TokenUsage(
            prompt: Self.tokens(Self.prompt(request)), completion: Self.tokens(Self.written(answer)))
        return answer
    }

    /// The parts of the same answer, word by word.
    func deltas(_ answer: ChatAnswer) -> [ChatDelta] {
        let words = answer.text.split(separator: " ", omittingEmptySubsequences: false).enumerated()
            .map { ChatDelta.text(($0 > 0 ? " " : "") + $1) }
        var rest = answer
        rest.text = ""
        return (answer.text.isEmpty ? [] : words) + rest.deltas
    }

    private static func call(_ request: ChatRequest) -> ChatToolCall? {
        guard case .user(let parts)? = request.messages.last else { return nil }
        let message = plain(parts)
        let tool: ChatRequest.Tool?
        switch request.toolChoice {
        case .none: tool = nil
        case .function(let name): tool = request.tools.first { $0.name == name }
        case .auto, .required:
            tool =
                request.tools.first { message.lowercased().contains($0.name.lowercased()) }
                ?? (request.tools.count == 1 || request.toolChoice == .required ? request.tools.first : nil)
        }
        guard let tool else { return nil }
        return ChatToolCall(
            id: "call_playground_\(request.messages.count)", name: tool.name, arguments: arguments(of: tool, message))
    }

    private static func arguments(of tool: ChatRequest.Tool, _ message: String) -> JSONValue {
        if let start = message.firstIndex(of: "{"), let end = message.lastIndex(of: "}"), start < end,
            let object = try? JSONValue(parsing: Array(message[start...end].utf8)), case .object = object
        {
            return object
        }
        let required = tool.parameters["required"].strings
        let members = required.map { name in
            JSONValue.Member(name: name, value: value(of: tool.parameters["properties"]?[name], message))
        }
        return .object(members)
    }

    private static func value(of schema: JSONValue?, _ message: String) -> JSONValue {
        if let first = schema?["enum"]?.elements.first { return first }
        switch schema?["type"]?.string {
        case "integer", "number":
            let digits = message.drop { !$0.isASCII || !$0.isNumber }.prefix { $0.isASCII && $0.isNumber }
            return .number(UInt64(digits).map(String.init) ?? "1")
        case "boolean": return .bool(true)
        case "array": return .array([])
        case "object": return .object([])
        default: return .string(message)
        }
    }

    private static func text(_ request: ChatRequest) -> String {
        switch request.answerFormat {
        case .text: break
        case .json, .schema: return JSONValue.members(["playground": .string(said(request))]).text.text
        }
        return "\(label) \(said(request))"
    }

    private static func said(_ request: ChatRequest) -> String {
        switch request.messages.last {
        case .system(let text): "I was told: \(text)"
        case .tool(_, let content, _): "the tool answered: \(plain(content))"
        case .user(let parts): "you said: \(plain(parts))"
        case .assistant(let text, _): "I said: \(text)"
        case nil: "nothing was said"
        }
    }

    private static func plain(_ parts: [ChatRequest.Part]) -> String {
        parts.map { part in
            switch part {
            case .text(let text): text
            case .image: "(an image)"
            }
        }.joined(separator: " ")
    }

    private static func cut(_ text: String, to tokensMax: UInt64?, _ finish: inout FinishReason) -> String {
        guard let tokensMax, tokens(text) > tokensMax else { return text }
        finish = .length
        return String(text.prefix(Int(clamping: tokensMax.multipliedReportingOverflow(by: 4).partialValue)))
    }

    private static func prompt(_ request: ChatRequest) -> String {
        request.messages.reduce(into: request.system.joined()) { text, message in
            switch message {
            case .user(let parts), .tool(_, let parts, _): text += plain(parts)
            case .system(let more): text += more
            case .assistant(let more, let calls): text += more + calls.map(\.arguments.text.text).joined()
            }
        }
    }

    private static func written(_ answer: ChatAnswer) -> String {
        answer.text + answer.calls.map { $0.name + $0.arguments.text.text }.joined()
    }

    private static func tokens(_ text: String) -> UInt64 { UsageEstimate.tokens(bytes: UInt64(text.utf8.count)) }
}
