import Domain

/// Reads the stream of OpenAI's chat completions.
struct OpenAIStream: ChatStream {
    private var events = ServerSentEvents(bytesMax: StreamLimits.eventBytesMax)
    private var calls = CallFragments()
    private(set) var isComplete = false

    mutating func read(_ bytes: [UInt8], into deltas: inout [ChatDelta]) throws(BrokenStream) {
        for data in try events.read(bytes) {
            guard !data.elementsEqual("[DONE]".utf8) else {
                try calls.finish(into: &deltas)
                isComplete = true
                continue
            }
            try read(JSONValue(event: data), into: &deltas)
        }
    }

    private mutating func read(_ chunk: JSONValue, into deltas: inout [ChatDelta]) throws(BrokenStream) {
        if let error = ProviderWords.error(inEvent: chunk) { throw BrokenStream(error) }
        if let choice = chunk["choices"]?.elements.first {
            let delta = choice["delta"]
            let text = OpenAIFormat.text(delta)
            if !text.isEmpty { deltas.append(.text(text)) }
            for call in OpenAIFormat.calls(of: delta) { try calls.read(call, into: &deltas) }
            // Some services send an empty one with each part.
            if let reason = choice["finish_reason"]?.string, !reason.isEmpty {
                try calls.finish(into: &deltas)
                let finish = OpenAIFormat.finish(reason)
                deltas.append(.finish(finish == .stop && calls.hasCalls ? .toolCalls : finish))
            }
        }
        if let usage = TokenUsage(chunk["usage"]) { deltas.append(.usage(usage)) }
    }
}
