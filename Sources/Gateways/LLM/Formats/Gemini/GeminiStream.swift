import Domain

/// Reads the stream of Gemini's `streamGenerateContent` (ai.google.dev/api/generate-content).
struct GeminiStream: ChatStream {
    private var events = ServerSentEvents(bytesMax: StreamLimits.eventBytesMax)
    private var reader = GeminiReader()

    var isComplete: Bool { reader.isFinished }

    mutating func read(_ bytes: [UInt8], into deltas: inout [ChatDelta]) throws(BrokenStream) {
        for data in try events.read(bytes) { deltas += try reader.read(JSONValue(event: data)) }
    }
}

/// Reads the parts of an answer: one document, or each of a stream.
struct GeminiReader: Sendable {
    /// Reasons for which a model wrote nothing that a caller can use.
    private static let failures: Set<String> = [
        "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE",
        "MALFORMED_RESPONSE",
    ]

    private var callCount = 0
    private var hasText = false
    /// True once the provider has said why the model stopped.
    private(set) var isFinished = false

    mutating func read(_ document: JSONValue) throws(BrokenStream) -> [ChatDelta] {
        // Errors of streams come in an array.
        let document = document.elements.first ?? document
        if let error = document["error"]?.present {
            throw BrokenStream(error["message"]?.string ?? error.string ?? "the provider reports an error")
        }
        var deltas: [ChatDelta] = []
        if let candidate = document["candidates"]?.elements.first {
            for part in candidate["content"]?["parts"]?.elements ?? [] { try read(part, into: &deltas) }
            if let reason = candidate["finishReason"]?.string {
                deltas.append(.finish(try finish(reason, candidate["finishMessage"]?.string)))
                isFinished = true
            }
        } else if document["promptFeedback"]?["blockReason"]?.present != nil {
            deltas.append(.finish(.contentFilter))
            isFinished = true
        }
        if let usage = GeminiUsage.tokens(document["usageMetadata"]) { deltas.append(.usage(usage)) }
        return deltas
    }

    private mutating func read(_ part: JSONValue, into deltas: inout [ChatDelta]) throws(BrokenStream) {
        guard part["thought"]?.isTrue != true else { return }
        if let text = part["text"]?.string, !text.isEmpty {
            hasText = true
            deltas.append(.text(text))
        }
        if part["inlineData"] != nil {
            throw BrokenStream("the model answers with a file, which the caller's format cannot express")
        }
        guard let call = part["functionCall"]?.present else { return }
        guard let name = call["name"]?.string, !name.isEmpty else { throw BrokenStream("a functionCall has no name") }
        var id = call["id"]?.string.flatMap { $0.isEmpty ? nil : $0 } ?? CallFragments.newID()
        if let signature = part["thoughtSignature"]?.string, !signature.isEmpty {
            id = CallSignature.signed(AcceptedID.of(call: id), with: signature)
        }
        deltas.append(.callBegun(callCount, id: id, name: name))
        deltas.append(.callArguments(callCount, (call["args"]?.present ?? .object([])).text.text))
        callCount += 1
    }

    private func finish(_ reason: String, _ message: String?) throws(BrokenStream) -> FinishReason {
        let isEmpty = callCount == 0 && !hasText
        if Self.failures.contains(reason) || reason == "OTHER" && isEmpty {
            throw BrokenStream("the model stopped for \(reason.excerpt)" + (message.map { ": \($0)" } ?? ""))
        }
        switch reason {
        case "MAX_TOKENS", "CONTINUATION": return .length
        case "SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "ESCALATION",
            "PUP_LIMITED_DISABLED", "MODEL_ARMOR", "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION":
            return .contentFilter
        default: return callCount > 0 ? .toolCalls : .stop
        }
    }
}
