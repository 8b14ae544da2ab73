package import Domain

/// A response object (platform.openai.com/docs/api-reference/responses/object) but for its output: its identity, and the
/// members of its request that it repeats.
package struct ResponseEcho: Hashable, Sendable {
    private let leading: [JSONValue.Member]
    private let trailing: [JSONValue.Member]
    /// The members that follow the usage.
    private let ending: [JSONValue.Member]

    package init(of request: JSONValue) {
        func member(_ name: String, _ value: JSONValue = .null) -> JSONValue.Member {
            .init(name: name, value: request[name]?.present ?? value)
        }
        leading = [member("instructions"), member("max_output_tokens"), member("max_tool_calls")]
        let reasoning = request["reasoning"]
        let text = request["text"]?.present
        trailing = [
            member("parallel_tool_calls", .bool(true)), member("previous_response_id"), member("prompt_cache_key"),
            .init(
                name: "reasoning",
                value: .members(["effort": reasoning?["effort"] ?? .null, "summary": reasoning?["summary"] ?? .null])),
            member("safety_identifier"), .init(name: "service_tier", value: .string("default")),
            member("store", .bool(true)), member("temperature"),
            .init(
                name: "text",
                value: .members([
                    "format": text?["format"]?.present ?? .members(["type": .string("text")]),
                    "verbosity": text?["verbosity"]?.present,
                ])),
            member("tool_choice", .string("auto")),
            .init(name: "tools", value: .array((request["tools"]?.elements ?? []).map(Self.tool))),
            member("top_p"), member("truncation", .string("disabled")),
        ]
        ending = [member("user"), member("metadata", .object([]))]
    }

    /// The tool with every member that the SDKs require.
    private static func tool(_ tool: JSONValue) -> JSONValue {
        guard case .object(let members) = tool else { return tool }
        let missing = ["description", "parameters", "strict"].filter { tool[$0] == nil }
        return .object(members + missing.map { .init(name: $0, value: .null) })
    }

    /// The document of a response with that output.
    func document(
        _ identity: CompletionIdentity, _ state: ResponseState, output: [JSONValue], usage: TokenUsage?
    ) -> JSONValue {
        let head: [JSONValue.Member] = [
            .init(name: "id", value: .string(identity.id)), .init(name: "object", value: .string("response")),
            .init(name: "created_at", value: .number(String(identity.created))),
            .init(name: "status", value: .string(state.status)), .init(name: "background", value: .bool(false)),
            .init(name: "error", value: state.error), .init(name: "incomplete_details", value: state.incompleteDetails),
        ]
        let model = JSONValue.Member(name: "model", value: .string(identity.model))
        let answer = JSONValue.Member(name: "output", value: .array(output))
        let used = JSONValue.Member(name: "usage", value: usage?.responseDocument ?? .null)
        return .object(head + leading + [model, answer] + trailing + [used] + ending)
    }
}

/// The state of a response.
enum ResponseState: Hashable, Sendable {
    case inProgress, completed
    /// Cut off for that reason.
    case incomplete(String)
    case failed(String)

    init(_ finish: FinishReason) {
        switch finish {
        case .stop, .toolCalls: self = .completed
        case .length: self = .incomplete("max_output_tokens")
        case .contentFilter: self = .incomplete("content_filter")
        }
    }

    var status: String {
        switch self {
        case .inProgress: "in_progress"
        case .completed: "completed"
        case .incomplete: "incomplete"
        case .failed: "failed"
        }
    }

    var error: JSONValue {
        guard case .failed(let message) = self else { return .null }
        return .members(["code": .string("server_error"), "message": .string(message)])
    }

    var incompleteDetails: JSONValue {
        guard case .incomplete(let reason) = self else { return .null }
        return .members(["reason": .string(reason)])
    }
}

/// The items of a response's output.
enum ResponseItem {
    static func message(_ id: String, _ status: String, _ content: [JSONValue]) -> JSONValue {
        .members([
            "id": .string(id), "type": .string("message"), "status": .string(status), "role": .string("assistant"),
            "content": .array(content),
        ])
    }

    static func text(_ text: String) -> JSONValue {
        .members([
            "type": .string("output_text"), "annotations": .array([]), "logprobs": .array([]), "text": .string(text),
        ])
    }

    static func call(_ id: String, _ status: String, callID: String, name: String, arguments: String) -> JSONValue {
        .members([
            "id": .string(id), "type": .string("function_call"), "status": .string(status),
            "arguments": .string(arguments), "call_id": .string(AcceptedID.of(call: callID)), "name": .string(name),
        ])
    }

    /// The id of the response's item at that index.
    static func id(_ kind: String, _ index: Int, of identity: CompletionIdentity) -> String {
        "\(kind)_\(identity.id.dropFirst("resp_".count))_\(index)"
    }
}

extension ChatAnswer {
    /// The answer in OpenAI's Responses format.
    package func response(_ identity: CompletionIdentity, _ echo: ResponseEcho) -> JSONValue {
        let state = ResponseState(finish)
        var output: [JSONValue] = []
        // An answer without any item would be no turn that a client could continue.
        if !text.isEmpty || calls.isEmpty {
            output.append(
                ResponseItem.message(
                    ResponseItem.id("msg", 0, of: identity), state.status, [ResponseItem.text(text)]))
        }
        for call in calls {
            output.append(
                ResponseItem.call(
                    ResponseItem.id("fc", output.count, of: identity), "completed", callID: call.id, name: call.name,
                    arguments: call.arguments.text.text))
        }
        return echo.document(identity, state, output: output, usage: usage ?? TokenUsage(prompt: 0, completion: 0))
    }
}

extension TokenUsage {
    /// The usage in OpenAI's Responses format.
    var responseDocument: JSONValue {
        .members([
            "input_tokens": .number(prompt),
            "input_tokens_details": .members(["cache_write_tokens": .number(0), "cached_tokens": .number(cached)]),
            "output_tokens": .number(completion),
            "output_tokens_details": .members(["reasoning_tokens": .number(0)]),
            "total_tokens": .number(prompt &+ completion),
        ])
    }

    /// Reads a usage in OpenAI's Responses format, which counts cached and reasoning tokens within the others; `nil` for
    /// one of another format.
    package init?(response usage: JSONValue?) {
        guard let input = usage?["input_tokens"]?.unsigned,
            usage?["input_tokens_details"]?.present != nil || usage?["output_tokens_details"]?.present != nil
                || usage?["total_tokens"]?.present != nil
        else { return nil }
        let output = usage?["output_tokens"]?.unsigned ?? 0
        let total = usage?["total_tokens"]?.unsigned ?? 0
        self.init(
            prompt: input, completion: total > input ? max(output, total - input) : output,
            cached: usage?["input_tokens_details"]?["cached_tokens"]?.unsigned ?? 0)
    }
}
