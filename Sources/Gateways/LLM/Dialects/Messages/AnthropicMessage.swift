package import Domain

/// Answers and errors in Anthropic's format (docs.anthropic.com/en/api/messages and /errors).
package enum AnthropicMessage {
    /// Everything is 0 that nobody told.
    static func usage(_ usage: TokenUsage?) -> JSONValue {
        let usage = usage ?? TokenUsage(prompt: 0, completion: 0)
        let writes = JSONValue.members([
            "ephemeral_5m_input_tokens": .number(usage.cacheWrite),
            "ephemeral_1h_input_tokens": .number(usage.cacheWriteHour),
        ])
        return .members([
            "input_tokens": .number(usage.uncachedPrompt),
            "cache_creation_input_tokens": .number(usage.cacheWrites),
            "cache_read_input_tokens": .number(usage.cached),
            "cache_creation": usage.cacheWrites > 0 ? writes : nil, "output_tokens": .number(usage.completion),
            "output_tokens_details": usage.reasoning > 0
                ? .members(["thinking_tokens": .number(usage.reasoning)]) : nil,
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
            case 401: "authentication_error"
            case 402: "billing_error"
            case 403: "permission_error"
            case 404: "not_found_error"
            case 413: "request_too_large"
            case 429: "rate_limit_error"
            case 400..<500: "invalid_request_error"
            case 529: "overloaded_error"
            default: "api_error"
            }
        return .members([
            "type": .string("error"), "error": .members(["type": .string(type), "message": .string(message)]),
        ])
    }
}

extension ChatAnswer {
    /// The answer as a message of Anthropic's.
    package func anthropic(_ identity: CompletionIdentity) -> JSONValue {
        var content: [JSONValue] = []
        if !text.isEmpty { content.append(.members(["type": .string("text"), "text": .string(text)])) }
        content += calls.map { call in
            .members([
                "type": .string("tool_use"), "id": .string(AcceptedID.of(call: call.id)), "name": .string(call.name),
                "input": call.arguments,
            ])
        }
        return AnthropicMessage.document(identity, content: content, finish: finish, usage: usage)
    }
}
