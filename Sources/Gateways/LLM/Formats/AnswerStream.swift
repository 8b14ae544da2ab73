import Domain

/// Reads the answer to a request for a stream: as a stream, or as one whole document where the service gives that.
struct AnswerStream: ChatStream {
    private enum State {
        /// Nothing but white space has come.
        case waiting
        case streamed
        case whole
        case read
    }

    private let translator: any ChatTranslator
    private let request: ChatRequest
    private let bytesMax: Int
    private var stream: any ChatStream
    private var state = State.waiting
    private var document: [UInt8] = []

    /// - Parameters:
    ///   - request: The one that was put in the provider's format.
    ///   - bytesMax: Maximum bytes of a whole answer.
    init(_ translator: any ChatTranslator, to request: ChatRequest, bytesMax: Int) {
        self.translator = translator
        self.request = request
        self.bytesMax = bytesMax
        stream = translator.stream()
    }

    var isComplete: Bool {
        switch state {
        case .waiting, .streamed: stream.isComplete
        case .whole: false
        case .read: true
        }
    }

    mutating func read(_ bytes: [UInt8], into deltas: inout [ChatDelta]) throws(BrokenStream) {
        if state == .waiting, let first = bytes.first(where: { !Self.isSpace($0) }) {
            let isDocument = [UInt8(ascii: "{"), UInt8(ascii: "[")].contains(first)
            state = isDocument && !translator.streamsDocuments ? .whole : .streamed
        }
        guard state == .whole else { return try stream.read(bytes, into: &deltas) }
        document += bytes
        guard document.count <= bytesMax else {
            throw BrokenStream("the provider's answer is larger than \(bytesMax) bytes")
        }
    }

    /// Appends the parts of a whole answer, or those that a stream has at its end.
    mutating func finish(into deltas: inout [ChatDelta]) throws(BrokenStream) {
        guard state == .whole else { return try stream.finish(into: &deltas) }
        let document = try JSONValue(event: document)
        do throws(UnreadableAnswer) {
            deltas += try translator.answer(document, to: request).deltas
        } catch {
            let unreadable = ProviderWords.unreadable(document, error)
            if let usage = unreadable.usage { deltas.append(.usage(usage)) }
            throw BrokenStream(unreadable.reason)
        }
        state = .read
    }

    private static func isSpace(_ byte: UInt8) -> Bool { [0x20, 0x09, 0x0a, 0x0d].contains(byte) }
}
