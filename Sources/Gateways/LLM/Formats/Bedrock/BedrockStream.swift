import Domain

/// Reads the stream of Bedrock's Converse (docs.aws.amazon.com/bedrock, "API_runtime_ConverseStream").
struct BedrockStream: ChatStream {
    private var messages = AWSEventStream(messageBytesMax: StreamLimits.eventBytesMax)
    /// The number of each content block that is a call.
    private var calls: [UInt64: Int] = [:]
    private var callCount = 0
    /// What was used comes last, after the reason to stop.
    private(set) var isComplete = false

    mutating func read(_ bytes: [UInt8], into deltas: inout [ChatDelta]) throws(BrokenStream) {
        for message in try messages.read(bytes) {
            let document = message.payload.isEmpty ? .object([]) : try JSONValue(event: message.payload)
            guard message.headers[":message-type"] == "event" else {
                throw BrokenStream(
                    document["message"]?.string ?? message.headers[":error-message"] ?? message.headers[
                        ":exception-type"]
                        ?? "the provider reports an error")
            }
            read(message.headers[":event-type"], document, into: &deltas)
        }
    }

    private mutating func read(_ type: String?, _ event: JSONValue, into deltas: inout [ChatDelta]) {
        let index = event["contentBlockIndex"]?.unsigned
        switch type {
        case "contentBlockStart":
            guard let call = event["start"]?["toolUse"], let index, let id = call["toolUseId"]?.string,
                let name = call["name"]?.string
            else { return }
            calls[index] = callCount
            deltas.append(.callBegun(callCount, id: id, name: name))
            callCount += 1
        case "contentBlockDelta":
            if let text = event["delta"]?["text"]?.string {
                deltas.append(.text(text))
            } else if let text = event["delta"]?["toolUse"]?["input"]?.string, !text.isEmpty,
                let call = index.flatMap({ calls[$0] })
            {
                deltas.append(.callArguments(call, text))
            }
        case "contentBlockStop": if let index { calls[index] = nil }
        case "messageStop":
            deltas.append(.finish(BedrockFormat.finish(event["stopReason"]?.string)))
            isComplete = true
        case "metadata": if let usage = BedrockFormat.usage(event["usage"]) { deltas.append(.usage(usage)) }
        default: break
        }
    }
}
