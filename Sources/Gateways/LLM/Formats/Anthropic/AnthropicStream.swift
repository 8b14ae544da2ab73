import Domain

/// Reads the stream of Anthropic's Messages (docs.anthropic.com/en/docs/build-with-claude/streaming).
struct AnthropicStream: ChatStream {
    private var events = ServerSentEvents(bytesMax: StreamLimits.eventBytesMax)
    /// The number of each content block that is a call.
    private var calls: [UInt64: Int] = [:]
    private var callCount = 0
    private var usage = AnthropicUsage()
    private(set) var isComplete = false

    mutating func read(_ bytes: [UInt8], into deltas: inout [ChatDelta]) throws(BrokenStream) {
        for data in try events.read(bytes) { try read(JSONValue(event: data), into: &deltas) }
    }

    private mutating func read(_ event: JSONValue, into deltas: inout [ChatDelta]) throws(BrokenStream) {
        switch event["type"]?.string {
        case "message_start": usage.update(event["message"]?["usage"])
        case "content_block_start":
            guard let block = event["content_block"], let index = event["index"]?.unsigned else { return }
            if block["type"]?.string == "tool_use", let id = block["id"]?.string, let name = block["name"]?.string {
                calls[index] = callCount
                deltas.append(.callBegun(callCount, id: id, name: name))
                callCount += 1
            } else if let text = block["text"]?.string, !text.isEmpty {
                deltas.append(.text(text))
            }
        case "content_block_delta":
            if let text = event["delta"]?["text"]?.string {
                deltas.append(.text(text))
            } else if let text = event["delta"]?["partial_json"]?.string, !text.isEmpty,
                let call = event["index"]?.unsigned.flatMap({ calls[$0] })
            {
                deltas.append(.callArguments(call, text))
            }
        case "content_block_stop":
            if let index = event["index"]?.unsigned { calls[index] = nil }
        case "message_delta":
            if let reason = event["delta"]?["stop_reason"]?.string {
                deltas.append(.finish(AnthropicFormat.finish(reason)))
            }
            usage.update(event["usage"])
        case "message_stop":
            if let tokens = usage.tokens { deltas.append(.usage(tokens)) }
            isComplete = true
        case "error":
            throw BrokenStream(event["error"]?["message"]?.string ?? "the provider reports an error")
        default: break
        }
    }
}
