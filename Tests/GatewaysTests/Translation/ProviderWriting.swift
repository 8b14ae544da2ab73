import Domain
import Gateways

/// The answer of a model as a provider of some format writes it.
struct ProviderWriting: Sendable {
    let kind: String
    /// One document.
    let whole: @Sendable (ChatAnswer) -> JSONValue
    /// The bytes of a stream.
    let stream: @Sendable (ScriptedAnswer) -> [UInt8]

    static let all = [openAI, anthropic, bedrock, ollama, gemini]

    private static func sse(_ documents: [JSONValue]) -> [UInt8] {
        documents.flatMap { Array("data: \($0.text.text)\n\n".utf8) }
    }

    // MARK: OpenAI

    static let openAI = ProviderWriting(
        kind: "openai",
        whole: { answer in
            let calls = answer.calls.map { call in
                object([
                    "id": .string(call.id), "type": .string("function"),
                    "function": object([
                        "name": .string(call.name), "arguments": .string(call.arguments.text.text),
                    ]),
                ])
            }
            return object([
                "choices": .array([
                    object([
                        "index": .number("0"), "finish_reason": .string(answer.finish.rawValue),
                        "message": object([
                            "role": .string("assistant"), "content": .string(answer.text), "tool_calls": .array(calls),
                        ]),
                    ])
                ])
            ])
        },
        stream: { script in
            func chunk(_ delta: JSONValue, finish: JSONValue = .null) -> JSONValue {
                object(["choices": .array([object(["index": .number("0"), "delta": delta, "finish_reason": finish])])])
            }
            func fragment(_ number: Int, _ members: [JSONValue.Member]) -> JSONValue {
                let call = JSONValue.object([.init(name: "index", value: .number(String(number)))] + members)
                return chunk(object(["tool_calls": .array([call])]))
            }
            let parts = script.steps.map { step in
                switch step {
                case .text(let text): chunk(object(["content": .string(text)]))
                case .begin(let number):
                    fragment(
                        number,
                        [
                            .init(name: "id", value: .string(script.answer.calls[number].id)),
                            .init(
                                name: "function",
                                value: object([
                                    "name": .string(script.answer.calls[number].name), "arguments": .string(""),
                                ])),
                        ])
                case .arguments(let number, let text):
                    fragment(number, [.init(name: "function", value: object(["arguments": .string(text)]))])
                }
            }
            let end = chunk(.object([]), finish: .string(script.answer.finish.rawValue))
            return sse(parts + [end]) + Array("data: [DONE]\n\n".utf8)
        })

    // MARK: Anthropic and Bedrock, whose blocks are numbered

    private static let anthropicReasons: [FinishReason: String] = [
        .stop: "end_turn", .length: "max_tokens", .toolCalls: "tool_use", .contentFilter: "refusal",
    ]

    static let anthropic = ProviderWriting(
        kind: "anthropic",
        whole: { answer in
            let said =
                answer.text.isEmpty
                ? [] : [object(["type": .string("text"), "text": .string(answer.text)])]
            let calls = answer.calls.map { call in
                object([
                    "type": .string("tool_use"), "id": .string(call.id), "name": .string(call.name),
                    "input": call.arguments,
                ])
            }
            return object([
                "content": .array(said + calls), "stop_reason": .string(anthropicReasons[answer.finish] ?? ""),
            ])
        },
        stream: { script in
            var events = [object(["type": .string("message_start"), "message": .object([])])]
            var blocks = 0
            var callBlocks: [Int: Int] = [:]
            func event(_ type: String, _ block: Int, _ name: String, _ value: JSONValue) {
                events.append(
                    object(["type": .string(type), "index": .number(String(block)), name: value]))
            }
            for step in script.steps {
                switch step {
                case .text(let text):
                    event(
                        "content_block_start", blocks, "content_block",
                        object(["type": .string("text"), "text": .string("")]))
                    event(
                        "content_block_delta", blocks, "delta",
                        object(["type": .string("text_delta"), "text": .string(text)]))
                    blocks += 1
                case .begin(let number):
                    let call = script.answer.calls[number]
                    event(
                        "content_block_start", blocks, "content_block",
                        object([
                            "type": .string("tool_use"), "id": .string(call.id), "name": .string(call.name),
                            "input": .object([]),
                        ]))
                    callBlocks[number] = blocks
                    blocks += 1
                case .arguments(let number, let text):
                    event(
                        "content_block_delta", callBlocks[number] ?? 0, "delta",
                        object(["type": .string("input_json_delta"), "partial_json": .string(text)]))
                }
            }
            let reason = JSONValue.string(anthropicReasons[script.answer.finish] ?? "")
            events += [
                object(["type": .string("message_delta"), "delta": object(["stop_reason": reason])]),
                object(["type": .string("message_stop")]),
            ]
            return sse(events)
        })

    private static let bedrockReasons: [FinishReason: String] = [
        .stop: "end_turn", .length: "max_tokens", .toolCalls: "tool_use", .contentFilter: "content_filtered",
    ]

    static let bedrock = ProviderWriting(
        kind: "bedrock",
        whole: { answer in
            let said = answer.text.isEmpty ? [] : [object(["text": .string(answer.text)])]
            let calls = answer.calls.map { call in
                object([
                    "toolUse": object([
                        "toolUseId": .string(call.id), "name": .string(call.name), "input": call.arguments,
                    ])
                ])
            }
            return object([
                "output": object(["message": object(["content": .array(said + calls)])]),
                "stopReason": .string(bedrockReasons[answer.finish] ?? ""),
            ])
        },
        stream: { script in
            var (bytes, blocks, callBlocks) = ([UInt8](), 0, [Int: Int]())
            func event(_ type: String, _ document: JSONValue) {
                bytes += AWSFrame.bytes([(":event-type", type), (":message-type", "event")], document)
            }
            func delta(_ block: Int, _ delta: JSONValue) {
                event("contentBlockDelta", object(["contentBlockIndex": .number(String(block)), "delta": delta]))
            }
            for step in script.steps {
                switch step {
                case .text(let text):
                    delta(blocks, object(["text": .string(text)]))
                    blocks += 1
                case .begin(let number):
                    let call = script.answer.calls[number]
                    let use = object(["toolUseId": .string(call.id), "name": .string(call.name)])
                    event(
                        "contentBlockStart",
                        object([
                            "contentBlockIndex": .number(String(blocks)), "start": object(["toolUse": use]),
                        ]))
                    callBlocks[number] = blocks
                    blocks += 1
                case .arguments(let number, let text):
                    delta(callBlocks[number] ?? 0, object(["toolUse": object(["input": .string(text)])]))
                }
            }
            event("messageStop", object(["stopReason": .string(bedrockReasons[script.answer.finish] ?? "")]))
            return bytes
        })

    // MARK: Ollama and Gemini, whose calls come whole

    static let ollama = ProviderWriting(
        kind: "ollama",
        whole: { answer in
            object([
                "message": object([
                    "role": .string("assistant"), "content": .string(answer.text),
                    "tool_calls": .array(answer.calls.map(ollamaCall)),
                ]), "done": .bool(true), "done_reason": .string(answer.finish == .length ? "length" : "stop"),
            ])
        },
        stream: { script in
            var lines: [JSONValue] = script.steps.compactMap { step in
                switch step {
                case .text(let text): object(["message": object(["content": .string(text)]), "done": .bool(false)])
                case .begin(let number):
                    object([
                        "message": object([
                            "content": .string(""), "tool_calls": .array([ollamaCall(script.answer.calls[number])]),
                        ]), "done": .bool(false),
                    ])
                case .arguments: nil
                }
            }
            lines.append(
                object([
                    "message": object(["content": .string("")]), "done": .bool(true),
                    "done_reason": .string(script.answer.finish == .length ? "length" : "stop"),
                ]))
            return lines.flatMap { Array("\($0.text.text)\n".utf8) }
        })

    private static func ollamaCall(_ call: ChatToolCall) -> JSONValue {
        object([
            "id": .string(call.id),
            "function": object(["name": .string(call.name), "arguments": call.arguments]),
        ])
    }

    private static let geminiReasons: [FinishReason: String] = [
        .stop: "STOP", .length: "MAX_TOKENS", .toolCalls: "STOP", .contentFilter: "SAFETY",
    ]

    static let gemini = ProviderWriting(
        kind: "gemini",
        whole: { answer in
            let said = answer.text.isEmpty ? [] : [object(["text": .string(answer.text)])]
            return geminiDocument(said + answer.calls.map(geminiCall), answer.finish)
        },
        stream: { script in
            let parts: [JSONValue] = script.steps.compactMap { step in
                switch step {
                case .text(let text): object(["text": .string(text)])
                case .begin(let number): geminiCall(script.answer.calls[number])
                case .arguments: nil
                }
            }
            let thought = object(["text": .string("hm"), "thought": .bool(true)])
            var chunks: [JSONValue] = [geminiDocument([thought] + parts.prefix(2), nil)]
            chunks += parts.dropFirst(2).map { geminiDocument([$0], nil) }
            return sse(chunks + [geminiDocument([object(["text": .string("")])], script.answer.finish)])
        })

    private static func geminiCall(_ call: ChatToolCall) -> JSONValue {
        object([
            "functionCall": object(["id": .string(call.id), "name": .string(call.name), "args": call.arguments])
        ])
    }

    private static func geminiDocument(_ parts: [JSONValue], _ finish: FinishReason?) -> JSONValue {
        let content = object(["role": .string("model"), "parts": .array(parts)])
        let reason = finish.flatMap { geminiReasons[$0] }.map {
            JSONValue.Member(name: "finishReason", value: .string($0))
        }
        let candidate = JSONValue.object([.init(name: "content", value: content)] + [reason].compactMap(\.self))
        return object(["candidates": .array([candidate])])
    }
}
