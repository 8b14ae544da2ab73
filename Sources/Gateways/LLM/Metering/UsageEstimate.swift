package import Domain

/// Reckons tokens from texts, for providers that do not tell them.
package enum UsageEstimate {
    package static func tokens(bytes: UInt64) -> UInt64 { bytes / 4 + (bytes % 4 == 0 ? 0 : 1) }

    /// Of a request in one of OpenAI's formats or Anthropic's: the texts of its messages, or what is to be embedded.
    ///
    /// Definitions of tools, schemas of answers and images count too: providers bill them.
    package static func promptTokens(of request: JSONValue) -> UInt64 {
        var bytes = textBytes(request["system"]) + textBytes(request["instructions"])
        for name in ["tools", "functions", "response_format", "output_config", "text"] {
            if let part = request[name]?.present { bytes += UInt64(part.text.text.utf8.count) }
        }
        var images: UInt64 = 0
        for message in request["messages"]?.elements ?? [] {
            bytes += textBytes(message["content"])
            images += imageCount(message["content"])
            for call in message["tool_calls"]?.elements ?? [] { bytes += textBytes(call["function"]?["arguments"]) }
        }
        let input = request["input"] ?? request["prompt"]
        for item in input?.elements ?? [] {
            bytes += textBytes(item["arguments"]) + textBytes(item["output"])
            images += imageCount(item["content"]) + imageCount(item["output"])
        }
        // What is to be embedded may come as numbers of tokens.
        let numbers = (input?.elements ?? []).flatMap { $0.elements + [$0] }.count {
            if case .number = $0 { true } else { false }
        }
        return min(tokens(bytes: bytes + textBytes(input)) + UInt64(numbers) + images * imageTokens, promptTokensMax)
    }

    /// No model takes a longer prompt.
    private static let promptTokensMax: UInt64 = 10_000_000

    /// The tokens of an image of the largest size that providers take without scaling it down.
    private static let imageTokens: UInt64 = 1_600

    private static func imageCount(_ content: JSONValue?) -> UInt64 {
        UInt64(
            (content?.elements ?? []).count {
                ["image_url", "image", "input_image"].contains($0["type"]?.string ?? "")
                    && ($0["image_url"] ?? $0["source"] ?? $0["file_id"]) != nil
            }) + (content?.elements ?? []).reduce(0) { $0 + imageCount($1["content"]) }
    }

    /// Of a text, or of several, or of parts that have texts.
    private static func textBytes(_ value: JSONValue?) -> UInt64 {
        switch value {
        case .string(let text): UInt64(text.utf8.count)
        case .array(let values):
            values.reduce(0) { sum, value in
                // Results of tools have parts of their own.
                sum
                    + (value["content"].map(textBytes)
                        ?? UInt64((value.string ?? value["text"]?.string ?? "").utf8.count))
                    // Calls of tools in Anthropic's format.
                    + UInt64(value["input"]?.present?.text.text.utf8.count ?? 0)
            }
        case .object, .bool, .number, .null, nil: 0
        }
    }
}

/// Walks the strings of a JSON document without building anything: it is done for each chunk of each stream.
enum JSONStrings {
    struct Found: Hashable {
        /// The length of all texts that a model writes.
        var textBytes: UInt64 = 0
        /// Whether there is a member `usage` that is an object.
        var hasUsage = false
        /// True when there is a member `error` that is an object or a string, a member `object` that is `"error"`, or the
        /// document is an event of that type.
        var hasError = false
        /// True when a member `finish_reason` or `stop_reason` is a text that is not empty.
        var isStopped = false
        /// The kind of event, for the events of OpenAI's Responses.
        var event: ResponseEvent?
    }

    /// An event of OpenAI's Responses: only deltas have new text, and others repeat it.
    struct ResponseEvent: Hashable {
        let isDelta: Bool
        /// True for the last event of a response.
        let isEnd: Bool

        private static let prefix = Array("response.".utf8)
        private static let ends = ["response.completed", "response.incomplete", "response.failed"]
            .map { Array($0.utf8) }
        private static let delta = Array(".delta".utf8)

        init?(type: some BidirectionalCollection<UInt8>) {
            guard type.starts(with: Self.prefix) else { return nil }
            isDelta = type.suffix(Self.delta.count).elementsEqual(Self.delta)
            isEnd = Self.ends.contains { type.elementsEqual($0) }
        }
    }

    private static let texts = [
        "content", "arguments", "reasoning_content", "refusal", "text", "partial_json", "thinking", "delta",
    ].map { Array($0.utf8) }
    private static let usage = Array("usage".utf8)
    private static let error = Array("error".utf8)
    private static let type = Array("type".utf8)
    private static let stops = ["finish_reason", "stop_reason"].map { Array($0.utf8) }
    private static let object = Array("object".utf8)
    private static let quotedError = Array("\"error\"".utf8)

    static func scan(_ document: ArraySlice<UInt8>) -> Found {
        document.withUnsafeBufferPointer { bytes in
            var found = Found()
            var index = 0
            var (isText, isType) = (false, false)
            while index < bytes.count {
                guard bytes[index] == UInt8(ascii: "\"") else {
                    index += 1
                    continue
                }
                let start = index + 1
                index = end(of: bytes, from: start)
                let string = bytes[min(start, index)..<index]
                if isText { found.textBytes += UInt64(string.count) }
                if isType {
                    found.event = found.event ?? ResponseEvent(type: string)
                    if string.elementsEqual(error) { found.hasError = true }
                }
                (isText, isType) = (false, false)
                index = skipSpace(bytes, index + 1)
                guard index < bytes.count, bytes[index] == UInt8(ascii: ":") else { continue }
                index = skipSpace(bytes, index + 1)
                guard index < bytes.count else { break }
                if bytes[index] != UInt8(ascii: "n"), string.elementsEqual(error) { found.hasError = true }
                if bytes[index] == UInt8(ascii: "\"") {
                    isText = texts.contains { string.elementsEqual($0) }
                    isType = string.elementsEqual(type)
                    let isEmpty = bytes[(index + 1)...].first == UInt8(ascii: "\"")
                    if !isEmpty, stops.contains(where: { string.elementsEqual($0) }) { found.isStopped = true }
                    if string.elementsEqual(object), bytes[index...].starts(with: quotedError) { found.hasError = true }
                } else if bytes[index] == UInt8(ascii: "{"), string.elementsEqual(usage) {
                    found.hasUsage = true
                }
            }
            return found
        }
    }

    /// Where the quote is that ends a string.
    private static func end(of bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
        var index = start
        while index < bytes.count, bytes[index] != UInt8(ascii: "\"") {
            index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        return min(index, bytes.count)
    }

    private static func skipSpace(_ bytes: UnsafeBufferPointer<UInt8>, _ start: Int) -> Int {
        var index = start
        while index < bytes.count, bytes[index] == 0x20 || bytes[index] == 0x0a || bytes[index] == 0x0d { index += 1 }
        return index
    }
}
