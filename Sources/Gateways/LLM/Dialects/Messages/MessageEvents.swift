package import Domain

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
    private var order = SequentialDeltas()
    private(set) package var usage: TokenUsage?

    package init(_ identity: CompletionIdentity) { self.identity = identity }

    package mutating func write(_ delta: ChatDelta, to bytes: inout [UInt8]) {
        for delta in order.read(delta) { writeNext(delta, to: &bytes) }
    }

    private mutating func writeNext(_ delta: ChatDelta, to bytes: inout [UInt8]) {
        begin(to: &bytes)
        switch delta {
        case .text(let text):
            let block = textBlock ?? beginBlock(["type": .string("text"), "text": .string("")], to: &bytes)
            textBlock = block
            add(["type": .string("text_delta"), "text": .string(text)], to: block, &bytes)
        case .callBegun(let number, let id, let name):
            calls[number] = beginBlock(
                [
                    "type": .string("tool_use"), "id": .string(AcceptedID.of(call: id)), "name": .string(name),
                    "input": .object([]),
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
        for delta in order.finish() { writeNext(delta, to: &bytes) }
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

    package mutating func ping(to bytes: inout [UInt8]) {
        begin(to: &bytes)
        event("ping", [:], to: &bytes)
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
