package import Domain

/// Answers and errors in Anthropic's format (docs.anthropic.com/en/api/messages and /errors).
package enum AnthropicMessage {
    /// Everything is 0 that nobody told.
    static func usage(_ usage: TokenUsage?) -> JSONValue {
        let usage = usage ?? TokenUsage(prompt: 0, completion: 0)
        return .members([
            "input_tokens": .number(usage.prompt - min(usage.cached, usage.prompt)),
            "cache_creation_input_tokens": .number(0), "cache_read_input_tokens": .number(usage.cached),
            "output_tokens": .number(usage.completion),
        ])
    }

    static func document(
        _ identity: CompletionIdentity, content: [JSONValue], finish: FinishReason?, usage: TokenUsage?
    ) -> JSONValue {
        .members([
            "id": .string(identity.id), "type": .string("message"), "role": .string("assistant"),
            "model": .string(identity.model), "content": .array(content),
            "stop_reason": finish.map { .string(Self.stopReason($0)) } ?? .null, "stop_sequence": .null,
            "usage": Self.usage(usage),
        ])
    }

    static func stopReason(_ finish: FinishReason) -> String {
        switch finish {
        case .stop: "end_turn"
        case .length: "max_tokens"
        case .toolCalls: "tool_use"
        case .contentFilter: "refusal"
        }
    }

    package static func error(_ message: String, status: Int) -> JSONValue {
        let type =
            switch status {
            case 400: "invalid_request_error"
            case 401: "authentication_error"
            case 402: "billing_error"
            case 403: "permission_error"
            case 404: "not_found_error"
            case 413: "request_too_large"
            case 429: "rate_limit_error"
            case 529: "overloaded_error"
            default: "api_error"
            }
        return .members([
            "type": .string("error"), "error": .members(["type": .string(type), "message": .string(message)]),
        ])
    }

    /// The gateway's or a provider's error as Anthropic's SDK reads it, with what else it says.
    static func error(_ answer: EgressAnswer) -> EgressAnswer {
        guard answer.status >= 400, case .whole(let bytes) = answer.body else { return answer }
        let document = try? JSONValue(parsing: bytes)
        guard document?["type"]?.string != "error" else { return answer }
        let said = document?["error"]?["message"]?.string ?? document?["error"]?.string
        var members = [JSONValue.Member]()
        if case .object(let error) = error(said ?? "the model was not asked", status: answer.status) { members = error }
        if case .object(let others)? = document {
            members += others.filter { !["error", "message", "type"].contains($0.name) }
        }
        let headers = answer.headers.filter { !$0.name.lowercased().hasPrefix("content-") }
        return EgressAnswer(
            status: answer.status, headers: headers + [("content-type", "application/json")],
            body: .whole(Array(JSONValue.object(members).text.text.utf8)))
    }
}

extension ChatAnswer {
    /// The answer as a message of Anthropic's.
    package func anthropic(_ identity: CompletionIdentity) -> JSONValue {
        var content: [JSONValue] = []
        if !text.isEmpty { content.append(.members(["type": .string("text"), "text": .string(text)])) }
        content += calls.map { call in
            .members([
                "type": .string("tool_use"), "id": .string(call.id), "name": .string(call.name),
                "input": call.arguments,
            ])
        }
        return AnthropicMessage.document(identity, content: content, finish: finish, usage: usage)
    }
}

/// Writes an answer's parts as the events of a stream in Anthropic's format
/// (docs.anthropic.com/en/docs/build-with-claude/streaming).
package struct MessageEvents: ChatStreamWriter {
    private let identity: CompletionIdentity
    private var isBegun = false
    /// The content block that is being written.
    private var open: Int?
    private var blocks = 0
    private var textBlock: Int?
    /// The block of each call.
    private var calls: [Int: Int] = [:]
    private var finish: FinishReason?
    private(set) package var usage: TokenUsage?

    package init(_ identity: CompletionIdentity) { self.identity = identity }

    package mutating func write(_ delta: ChatDelta, to bytes: inout [UInt8]) {
        begin(to: &bytes)
        switch delta {
        case .text(let text):
            let block = textBlock ?? beginBlock(["type": .string("text"), "text": .string("")], to: &bytes)
            textBlock = block
            add(["type": .string("text_delta"), "text": .string(text)], to: block, &bytes)
        case .callBegun(let number, let id, let name):
            calls[number] = beginBlock(
                [
                    "type": .string("tool_use"), "id": .string(id), "name": .string(name), "input": .object([]),
                ], to: &bytes)
            textBlock = nil
        case .callArguments(let number, let text):
            guard let block = calls[number] else { return }
            add(["type": .string("input_json_delta"), "partial_json": .string(text)], to: block, &bytes)
        case .finish(let reason): finish = reason
        case .usage(let usage): self.usage = usage
        }
    }

    package mutating func end(to bytes: inout [UInt8]) {
        begin(to: &bytes)
        closeBlock(to: &bytes)
        event(
            "message_delta",
            [
                "delta": .members([
                    "stop_reason": .string(AnthropicMessage.stopReason(finish ?? .stop)), "stop_sequence": .null,
                ]),
                "usage": AnthropicMessage.usage(usage),
            ], to: &bytes)
        event("message_stop", [:], to: &bytes)
    }

    package func fail(_ message: String, to bytes: inout [UInt8]) {
        bytes += "event: error\ndata: \(AnthropicMessage.error(message, status: 502).text.text)\n\n".utf8
    }

    private mutating func begin(to bytes: inout [UInt8]) {
        guard !isBegun else { return }
        isBegun = true
        event(
            "message_start",
            ["message": AnthropicMessage.document(identity, content: [], finish: nil, usage: nil)], to: &bytes)
    }

    private mutating func beginBlock(
        _ content: KeyValuePairs<String, JSONValue?>, to bytes: inout [UInt8]
    ) -> Int {
        closeBlock(to: &bytes)
        let block = blocks
        event(
            "content_block_start",
            ["index": .number(String(block)), "content_block": .members(content)], to: &bytes)
        open = block
        blocks += 1
        return block
    }

    private mutating func closeBlock(to bytes: inout [UInt8]) {
        guard let open else { return }
        event("content_block_stop", ["index": .number(String(open))], to: &bytes)
        self.open = nil
    }

    private func add(_ delta: KeyValuePairs<String, JSONValue?>, to block: Int, _ bytes: inout [UInt8]) {
        event(
            "content_block_delta", ["index": .number(String(block)), "delta": .members(delta)], to: &bytes)
    }

    private func event(_ type: String, _ members: KeyValuePairs<String, JSONValue?>, to bytes: inout [UInt8]) {
        let document = JSONValue.object(
            [.init(name: "type", value: .string(type))]
                + members.compactMap { name, value in value.map { .init(name: name, value: $0) } })
        bytes += "event: \(type)\ndata: \(document.text.text)\n\n".utf8
    }
}
