package import Domain

/// A model's whole answer, in no provider's words.
package struct ChatAnswer: Hashable, Sendable {
    package var text: String
    package var calls: [ChatToolCall]
    package var finish: FinishReason
    package var usage: TokenUsage?

    package init(text: String = "", calls: [ChatToolCall] = [], finish: FinishReason, usage: TokenUsage? = nil) {
        self.text = text
        self.calls = calls
        self.finish = finish
        self.usage = usage
    }
}

/// Why a model stopped, by OpenAI's names.
package enum FinishReason: String, Hashable, Sendable, CaseIterable {
    case stop, length
    case toolCalls = "tool_calls"
    case contentFilter = "content_filter"
}

extension TokenUsage {
    /// As OpenAI's format has it.
    var document: JSONValue {
        let isDetailed = reasoning + audioCompletion > 0
        return .members([
            "prompt_tokens": .number(prompt), "completion_tokens": .number(completion),
            "total_tokens": .number(prompt &+ completion),
            "prompt_tokens_details": .members([
                "cached_tokens": .number(cached), "cache_write_tokens": cacheWrites > 0 ? .number(cacheWrites) : nil,
                "audio_tokens": audioPrompt > 0 ? .number(audioPrompt) : nil,
            ]),
            "completion_tokens_details": isDetailed
                ? .members([
                    "reasoning_tokens": .number(reasoning), "audio_tokens": .number(audioCompletion),
                ]) : nil,
        ])
    }
}

/// What an answer in OpenAI's format says of itself.
package struct CompletionIdentity: Hashable, Sendable {
    package var id: String
    package var model: String
    /// Seconds since 1970.
    package var created: Int64
    /// Set by models that are no real ones.
    package var fingerprint: String?

    package init(id: String, model: String, created: Int64, fingerprint: String? = nil) {
        self.id = id
        self.model = model
        self.created = created
        self.fingerprint = fingerprint
    }

    func document(object: String, choices: [JSONValue], usage: JSONValue?) -> JSONValue {
        .members([
            "id": .string(id), "object": .string(object), "created": .number(String(created)), "model": .string(model),
            "system_fingerprint": fingerprint.map { .string($0) }, "choices": .array(choices), "usage": usage,
        ])
    }
}

extension ChatToolCall {
    /// As OpenAI's format has it, under an id that its reader accepts.
    func openAI(id: String) -> JSONValue {
        .members([
            "id": .string(id), "type": .string("function"),
            "function": .members(["name": .string(name), "arguments": .string(arguments.text.text)]),
        ])
    }
}

extension ChatAnswer {
    /// The answer in OpenAI's format (platform.openai.com/docs/api-reference/chat/object).
    package func openAI(_ identity: CompletionIdentity) -> JSONValue {
        let calls = self.calls.map { $0.openAI(id: AcceptedID.of(call: $0.id)) }
        let message = JSONValue.members([
            "role": .string("assistant"), "content": text.isEmpty && !calls.isEmpty ? .null : .string(text),
            "refusal": .null, "tool_calls": calls.isEmpty ? nil : .array(calls),
        ])
        let choice = JSONValue.members([
            "index": .number(0), "message": message, "logprobs": .null, "finish_reason": .string(finish.rawValue),
        ])
        return identity.document(object: "chat.completion", choices: [choice], usage: usage?.document)
    }
}
