package import Domain

/// Reads the usage out of an answer in one of OpenAI's formats or Anthropic's while it passes: one document, or an event
/// stream whose last events have it (OpenAI's when `stream_options.include_usage` was asked for).
///
/// Bounded: of a long document the end is kept, and a line of a stream that is too long is not looked into.
package struct AnswerUsage {
    private static let keptMax = 256 * 1024
    private static let tailBytes = 16 * 1024

    let isEvents: Bool
    package private(set) var usage: TokenUsage?
    /// What a stream of Anthropic's has told at its beginning: the prompt is known then.
    private var begun: AnthropicUsage?
    /// Whether the stream has said that it is at its end.
    package private(set) var isDone = false
    /// True once the stream has told why the model stopped, or that it is at its end: some services leave the latter out.
    package var isWhole: Bool { isDone || isStopped }
    private var isStopped = false
    /// The error that the answer reports in the place of the rest, or of all of it.
    package private(set) var failure: String?
    /// How much text the model wrote, as it stands in the JSON.
    package private(set) var textBytes: UInt64 = 0
    /// The document, its end, or the stream's unfinished line.
    private var kept: [UInt8] = []
    private var isCut = false

    package init(isEvents: Bool) { self.isEvents = isEvents }

    /// Takes the next part.
    package mutating func read(_ bytes: some Collection<UInt8>) {
        guard isEvents else { return keepEnd(of: bytes) }
        var rest = bytes[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            keepLine(rest[..<end])
            finishLine()
            rest = rest[rest.index(after: end)...]
        }
        keepLine(rest)
    }

    /// Takes note that nothing follows.
    package mutating func end() {
        if isEvents { return finishLine() }
        if isCut {
            usage = TokenUsage(inEndOf: kept)
        } else {
            note(kept[...])
        }
    }

    /// About how many tokens it were: a token is taken for four bytes of text.
    ///
    /// - Parameter isOfTranslation: True when the beginning of the stream is ours, and tells no usage.
    func estimate(of call: ModelCall, isOfTranslation: Bool = false) -> TokenUsage {
        let told = isOfTranslation ? nil : begun?.tokens.flatMap { $0.prompt > 0 ? $0 : nil }
        let prompt =
            told
            ?? TokenUsage(
                prompt: UsageEstimate.promptTokens(of: call.document) + call.earlier.total, completion: 0)
        return prompt.with(completion: UsageEstimate.tokens(bytes: textBytes))
    }

    private mutating func keepEnd(of bytes: some Collection<UInt8>) {
        kept += bytes
        guard kept.count > Self.keptMax || (isCut && kept.count > 4 * Self.tailBytes) else { return }
        if !isCut { textBytes = JSONStrings.scan(kept[...]).textBytes }
        isCut = true
        kept.removeFirst(kept.count - Self.tailBytes)
    }

    /// Keeps the end of a line that is too long: the last event of a response repeats all of it before its usage.
    private mutating func keepLine(_ part: some Collection<UInt8>) {
        kept += part
        if kept.count > Self.keptMax { isCut = true }
        if isCut, kept.count > 4 * Self.tailBytes { kept.removeFirst(kept.count - Self.tailBytes) }
    }

    private mutating func finishLine() {
        defer {
            kept.removeAll(keepingCapacity: true)
            isCut = false
        }
        if kept.starts(with: "event: message_stop".utf8) { isDone = true }
        if kept.starts(with: "event: response.".utf8) { noteEvent(kept.dropFirst("event: ".utf8.count)) }
        if isCut { usage = TokenUsage(inEndOf: kept) ?? usage }
        guard !isCut, kept.starts(with: "data:".utf8) else { return }
        let data = kept.dropFirst(5).drop { $0 == UInt8(ascii: " ") }
        if data.starts(with: "[DONE]".utf8) { isDone = true } else { note(data) }
    }

    /// Notes the end of a response by the name of its event: the event itself may be too long.
    private mutating func noteEvent(_ name: ArraySlice<UInt8>) {
        if JSONStrings.ResponseEvent(type: name)?.isEnd == true { isDone = true }
        if name.elementsEqual("response.failed".utf8) { failure = failure ?? "the provider reports a failed response" }
    }

    private mutating func note(_ document: ArraySlice<UInt8>) {
        let found = JSONStrings.scan(document)
        if found.event?.isDelta != false { textBytes += found.textBytes }
        if found.event?.isEnd == true { isDone = true }
        if found.isStopped { isStopped = true }
        guard found.hasUsage || found.hasError, let value = try? JSONValue(parsing: Array(document), .surrogates) else {
            return
        }
        if found.hasError, let error = ProviderWords.error(inEvent: value) {
            failure = "the provider reports an error: " + error
        }
        guard found.hasUsage else { return }
        if isEvents, let started = value["message"]?["usage"] {
            begun = AnthropicUsage(started)
        } else if begun != nil {
            begun?.update(value["usage"])
            usage = begun?.tokens
        } else {
            usage = TokenUsage(value["usage"] ?? value["response"]?["usage"]) ?? usage
        }
    }
}

extension TokenUsage {
    /// The last `"usage": {…}` in the end of a document whose beginning is gone.
    fileprivate init?(inEndOf bytes: [UInt8]) {
        let name = Array("\"usage\"".utf8)
        guard bytes.count > name.count else { return nil }
        for start in stride(from: bytes.count - name.count, through: 0, by: -1) where bytes[start...].starts(with: name)
        {
            guard let open = bytes[start...].firstIndex(of: UInt8(ascii: "{")) else { continue }
            var depth = 0
            for index in open..<bytes.count {
                if bytes[index] == UInt8(ascii: "{") { depth += 1 }
                if bytes[index] == UInt8(ascii: "}") { depth -= 1 }
                guard depth == 0 else { continue }
                guard let value = try? JSONValue(parsing: Array(bytes[open...index]), .surrogates) else { break }
                self.init(value)
                return
            }
        }
        return nil
    }
}
