import Domain
import Gateways
import TestSupport
import Testing

/// An answer means the same to the caller as to the provider, for every format and every dialect, however its bytes are
/// cut and its parallel calls interleaved.
@Suite struct AnswerTranslationTests {
    private static let identity = CompletionIdentity(id: "c", model: "m", created: 1)

    private static let anthropicReasons: [FinishReason: String] = [
        .stop: "end_turn", .length: "max_tokens", .toolCalls: "tool_use", .contentFilter: "refusal",
    ]

    private static let responseReasons: [FinishReason: String] = [
        .stop: "completed", .length: "max_output_tokens", .toolCalls: "completed", .contentFilter: "content_filter",
    ]

    private static func translator(_ kind: String) throws -> any ChatTranslator {
        guard case .provider(let translator) = ProviderFormats.format(of: kind).chat else {
            throw BrokenStream("\(kind) has no translator")
        }
        return translator
    }

    /// Ollama has no words for an answer that a filter stopped.
    private static func isKnown(_ answer: ChatAnswer, to kind: String) -> Bool {
        kind != "ollama" || answer.finish != .contentFilter
    }

    private static func expect(_ read: CallerReading, _ answer: ChatAnswer, _ reason: String?, _ kind: String) {
        #expect(read.text == answer.text, "\(kind)")
        #expect(read.calls == answer.calls, "\(kind)")
        #expect(read.finish == reason, "\(kind)")
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func aWholeAnswerMeansTheSame(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let answer = ScriptedAnswer(&random).answer
        for writing in ProviderWriting.all where Self.isKnown(answer, to: writing.kind) {
            let read = try Self.translator(writing.kind).answer(writing.whole(answer), to: ChatRequest(model: "m"))
            let completion = try CallerReading(openAIDocument: read.openAI(Self.identity))
            Self.expect(completion, answer, answer.finish.rawValue, writing.kind)
            let message = try CallerReading(anthropicDocument: read.anthropic(Self.identity))
            Self.expect(message, answer, Self.anthropicReasons[answer.finish], writing.kind)
            let document = read.response(Self.identity, ResponseEcho(of: .object([])))
            let response = try CallerReading(responseDocument: document)
            Self.expect(response, answer, Self.responseReasons[answer.finish], writing.kind)
        }
    }

    @Test(arguments: 0..<300 as Range<UInt64>)
    func aStreamMeansTheSameHoweverItIsCutAndInterleaved(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let script = ScriptedAnswer(&random)
        for writing in ProviderWriting.all where Self.isKnown(script.answer, to: writing.kind) {
            var stream = try Self.translator(writing.kind).stream()
            var writers: [any ChatStreamWriter] = [
                CompletionChunks(Self.identity, includesUsage: false), MessageEvents(Self.identity),
                ResponseEvents(Self.identity, ResponseEcho(of: .object([]))),
            ]
            var written = writers.map { _ in [UInt8]() }
            var rest = writing.stream(script)[...]
            while !rest.isEmpty {
                let piece = rest.prefix(Int.random(in: 1...50, using: &random))
                rest = rest.dropFirst(piece.count)
                var deltas: [ChatDelta] = []
                try stream.read(Array(piece), into: &deltas)
                for index in writers.indices {
                    for delta in deltas { writers[index].write(delta, to: &written[index]) }
                }
            }
            #expect(stream.isComplete)
            for index in writers.indices { writers[index].end(to: &written[index]) }
            let answer = script.answer
            Self.expect(try CallerReading(openAI: written[0]), answer, answer.finish.rawValue, writing.kind)
            Self.expect(
                try CallerReading(anthropic: written[1]), answer, Self.anthropicReasons[answer.finish], writing.kind)
            Self.expect(
                try CallerReading(responses: written[2]), answer, Self.responseReasons[answer.finish], writing.kind)
        }
    }

    /// A stream is whole when the provider has said so, and not before.
    @Test(arguments: 0..<50 as Range<UInt64>)
    func aStreamThatIsCutIsNotWhole(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let script = ScriptedAnswer(&random)
        for writing in ProviderWriting.all {
            let bytes = writing.stream(script)
            var stream = try Self.translator(writing.kind).stream()
            var deltas: [ChatDelta] = []
            try stream.read(Array(bytes.dropLast(Int.random(in: 1...40, using: &random))), into: &deltas)
            #expect(!stream.isComplete, "\(writing.kind)")
        }
    }
}
