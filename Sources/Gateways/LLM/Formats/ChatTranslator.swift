package import Domain

/// Puts chat completions in a provider's own format, and its answers in ours. Pure.
package protocol ChatTranslator: Sendable {
    /// What follows the provider's base address.
    func path(of request: ChatRequest) -> String

    /// Sent with each call, beside its content's type.
    var headers: [(name: String, value: String)] { get }

    /// True when the provider signs its calls: ids of calls come with their signatures (`CallSignature`).
    var readsCallSignatures: Bool { get }

    /// False when the provider leaves the choice of a tool to the model in any case.
    var forcesCalls: Bool { get }

    func body(of request: ChatRequest) throws(UntranslatableRequest) -> JSONValue

    /// - Parameter request: the one that was put in that format.
    func answer(_ document: JSONValue, to request: ChatRequest) throws(UnreadableAnswer) -> ChatAnswer

    func stream() -> any ChatStream

    /// True when the parts of a stream are documents, as a whole answer is: the stream reads that as its only part.
    var streamsDocuments: Bool { get }
}

extension ChatTranslator {
    package var streamsDocuments: Bool { false }
    package var forcesCalls: Bool { true }
    package var readsCallSignatures: Bool { false }
}

/// Reads a provider's stream as it comes.
package protocol ChatStream: Sendable {
    /// Appends the parts that the bytes complete.
    ///
    /// - Throws: when the provider reports an error, or the bytes are none of its format's.
    mutating func read(_ bytes: [UInt8], into deltas: inout [ChatDelta]) throws(BrokenStream)

    /// Whether the provider has said that this was all.
    var isComplete: Bool { get }

    /// Appends the parts that are complete because nothing follows.
    mutating func finish(into deltas: inout [ChatDelta]) throws(BrokenStream)
}

extension ChatStream {
    package mutating func finish(into deltas: inout [ChatDelta]) throws(BrokenStream) {}
}

/// The reason why a provider's answer cannot be read.
package struct UnreadableAnswer: Error, Hashable, Sendable {
    package let reason: String
    /// The tokens of the answer, which are billed all the same.
    package let usage: TokenUsage?

    package init(_ reason: String, usage: TokenUsage? = nil) {
        self.reason = reason
        self.usage = usage
    }
}

/// How long one event of a stream may be.
enum StreamLimits {
    static let eventBytesMax = 1024 * 1024
}

extension JSONValue {
    /// An event of a stream.
    init(event bytes: [UInt8]) throws(BrokenStream) {
        do {
            self = try JSONValue(parsing: bytes, .surrogates)
        } catch {
            throw BrokenStream("an event is no JSON: \(error)")
        }
    }
}
