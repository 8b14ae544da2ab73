import Domain
import Gateways

/// The same conversation in the words of callers.
extension Conversation {
    /// A request in OpenAI's format.
    var openAI: JSONValue {
        var messages: [JSONValue] = []
        func add(_ role: String, _ members: [JSONValue.Member]) {
            messages.append(.object([.init(name: "role", value: .string(role))] + members))
        }
        for turn in turns {
            switch turn {
            case .system(let text): add("system", [.init(name: "content", value: .string(text))])
            case .user(let parts):
                add("user", [.init(name: "content", value: .array(parts.map(Self.openAI)))])
            case .assistant(let text, let calls):
                let content = JSONValue.Member(name: "content", value: text.isEmpty ? .null : .string(text))
                let toolCalls = JSONValue.Member(name: "tool_calls", value: .array(calls.map(Self.openAI)))
                add("assistant", calls.isEmpty ? [content] : [content, toolCalls])
            case .results(let results):
                for result in results {
                    add(
                        "tool",
                        [
                            .init(name: "tool_call_id", value: .string(result.call.id)),
                            .init(name: "content", value: .array(result.parts.map(Self.openAI))),
                        ])
                }
            }
        }
        let tools = tools.map { tool in
            object([
                "type": .string("function"),
                "function": object([
                    "name": .string(tool.name), "description": .string(tool.description ?? ""),
                    "parameters": tool.parameters,
                ]),
            ])
        }
        return object(["model": .string("m"), "messages": .array(messages), "tools": .array(tools)])
    }

    private static func openAI(_ part: ChatRequest.Part) -> JSONValue {
        switch part {
        case .text(let text): object(["type": .string("text"), "text": .string(text)])
        case .image(.url(let url)): openAI(imageURL: url)
        case .image(.data(let mediaType, let base64)): openAI(imageURL: "data:\(mediaType);base64,\(base64)")
        }
    }

    private static func openAI(imageURL url: String) -> JSONValue {
        object(["type": .string("image_url"), "image_url": object(["url": .string(url)])])
    }

    private static func openAI(_ call: ChatToolCall) -> JSONValue {
        object([
            "id": .string(call.id), "type": .string("function"),
            "function": object([
                "name": .string(call.name), "arguments": .string(call.arguments.text.text),
            ]),
        ])
    }

    /// A request in Anthropic's format; results come in the user's turn.
    var anthropic: JSONValue {
        var messages: [JSONValue] = []
        func add(_ role: String, _ blocks: [JSONValue]) {
            messages.append(object(["role": .string(role), "content": .array(blocks)]))
        }
        for turn in turns {
            switch turn {
            case .system(let text): add("system", [Self.anthropic(.text(text))])
            case .user(let parts): add("user", parts.map(Self.anthropic))
            case .assistant(let text, let calls):
                let said = text.isEmpty ? [] : [Self.anthropic(.text(text))]
                add(
                    "assistant",
                    said
                        + calls.map { call in
                            object([
                                "type": .string("tool_use"), "id": .string(call.id), "name": .string(call.name),
                                "input": call.arguments,
                            ])
                        })
            case .results(let results):
                add(
                    "user",
                    results.map { result in
                        object([
                            "type": .string("tool_result"), "tool_use_id": .string(result.call.id),
                            "content": .array(result.parts.map(Self.anthropic)), "is_error": .bool(result.isError),
                        ])
                    })
            }
        }
        let tools = tools.map { tool in
            object([
                "name": .string(tool.name), "description": .string(tool.description ?? ""),
                "input_schema": tool.parameters,
            ])
        }
        return object([
            "model": .string("m"), "max_tokens": .number("9"), "messages": .array(messages), "tools": .array(tools),
        ])
    }

    private static func anthropic(_ part: ChatRequest.Part) -> JSONValue {
        switch part {
        case .text(let text): object(["type": .string("text"), "text": .string(text)])
        case .image(.url(let url)):
            object(["type": .string("image"), "source": object(["type": .string("url"), "url": .string(url)])])
        case .image(.data(let mediaType, let base64)):
            object([
                "type": .string("image"),
                "source": object([
                    "type": .string("base64"), "media_type": .string(mediaType), "data": .string(base64),
                ]),
            ])
        }
    }

    /// A request in OpenAI's Responses format, in which each call and each result is an item of its own.
    var responses: JSONValue {
        var items: [JSONValue] = []
        func add(_ role: String, _ parts: [JSONValue]) {
            items.append(
                object(["type": .string("message"), "role": .string(role), "content": .array(parts)]))
        }
        for turn in turns {
            switch turn {
            case .system(let text): add("developer", [Self.response(.text(text))])
            case .user(let parts): add("user", parts.map(Self.response))
            case .assistant(let text, let calls):
                if !text.isEmpty {
                    add("assistant", [object(["type": .string("output_text"), "text": .string(text)])])
                }
                items += calls.map { call in
                    object([
                        "type": .string("function_call"), "call_id": .string(call.id), "name": .string(call.name),
                        "arguments": .string(call.arguments.text.text),
                    ])
                }
            case .results(let results):
                items += results.map { result in
                    object([
                        "type": .string("function_call_output"), "call_id": .string(result.call.id),
                        "output": .array(result.parts.map(Self.response)),
                    ])
                }
            }
        }
        let tools = tools.map { tool in
            object([
                "type": .string("function"), "name": .string(tool.name),
                "description": .string(tool.description ?? ""), "parameters": tool.parameters,
            ])
        }
        return object(["model": .string("m"), "input": .array(items), "tools": .array(tools)])
    }

    private static func response(_ part: ChatRequest.Part) -> JSONValue {
        switch part {
        case .text(let text): object(["type": .string("input_text"), "text": .string(text)])
        case .image(let image):
            object(["type": .string("input_image"), "image_url": .string(Meaning.image(image))])
        }
    }
}
