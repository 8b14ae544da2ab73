import Domain
import Gateways
import TestSupport
import Testing

/// OpenAI's Responses mean the same in the other formats.
@Suite struct ResponseTranslationTests {
    private static let identity = CompletionIdentity(id: "resp_a", model: "m", created: 1)

    private static func value(_ text: String) throws -> JSONValue { try JSONValue(parsing: Array(text.utf8)) }

    private static func request(_ text: String) throws -> ChatRequest {
        try ChatRequest(responses: value(text), model: "m")
    }

    private static func word(_ random: inout SeededRandom) -> String {
        ["ja", "å \"quote\"", "line\nbreak", "\u{1F600}", "{}", "</x>"].randomElement(using: &random) ?? ""
    }

    private static func answer(_ random: inout SeededRandom) -> ChatAnswer {
        var answer = ChatAnswer(
            text: Bool.random(using: &random) ? word(&random) : "", finish: .stop,
            usage: TokenUsage(prompt: 9, completion: .random(in: 0...99, using: &random), cached: 3))
        for number in 0..<Int.random(in: 0...3, using: &random) {
            let arguments = JSONValue.object([.init(name: word(&random), value: .string(word(&random)))])
            answer.calls.append(ChatToolCall(id: "call-\(number)", name: "tool\(number)", arguments: arguments))
        }
        if !answer.calls.isEmpty { answer.finish = .toolCalls }
        return answer
    }

    private static func echo() throws -> ResponseEcho { ResponseEcho(of: try value(#"{"input":"a"}"#)) }

    /// The events of a stream that has the answer's parts in the order of `deltas`.
    private static func events(_ deltas: [ChatDelta]) throws -> [JSONValue] {
        var (writer, bytes) = (ResponseEvents(identity, try echo()), [UInt8]())
        for delta in deltas { writer.write(delta, to: &bytes) }
        writer.end(to: &bytes)
        var events = ServerSentEvents(bytesMax: 1 << 20)
        return try events.read(bytes).map { try JSONValue(parsing: $0) }
    }

    /// The deltas of the answer, its calls begun first and continued piece by piece in any order.
    private static func deltas(_ answer: ChatAnswer, _ random: inout SeededRandom) -> [ChatDelta] {
        var deltas = answer.text.map { ChatDelta.text(String($0)) }
        var pieces: [[ChatDelta]] = answer.calls.enumerated().map { number, call in
            call.arguments.text.text.unicodeScalars.map { .callArguments(number, String($0)) }
        }
        for (number, call) in answer.calls.enumerated() {
            deltas.append(.callBegun(number, id: call.id, name: call.name))
        }
        while let number = pieces.indices.filter({ !pieces[$0].isEmpty }).randomElement(using: &random) {
            deltas.append(pieces[number].removeFirst())
        }
        deltas.append(.finish(answer.finish))
        if let usage = answer.usage { deltas.append(.usage(usage)) }
        return deltas
    }

    @Test(arguments: 0..<100 as Range<UInt64>)
    func anAnswerThatIsSentBackIsTheSame(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let answer = Self.answer(&random)
        let shown = answer.response(Self.identity, try Self.echo())
        let output = try #require(shown["output"])
        #expect(TokenUsage(shown["usage"]) == answer.usage)
        let user = try Self.value(#"{"role":"user","content":"a"}"#)
        let body = JSONValue.object([.init(name: "input", value: .array([user] + output.elements))])
        let turns = try ChatRequest(responses: body, model: "m").messages.dropFirst()
        let isEmpty = answer.text.isEmpty && answer.calls.isEmpty
        #expect(Array(turns) == (isEmpty ? [] : [.assistant(text: answer.text, calls: answer.calls)]))
    }

    @Test(arguments: 0..<100 as Range<UInt64>)
    func aStreamAmountsToTheWholeAnswer(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let answer = Self.answer(&random)
        let events = try Self.events(Self.deltas(answer, &random))
        #expect(events.map { $0["sequence_number"] } == events.indices.map { .number(String($0)) })
        let last = try #require(events.last)
        #expect(last["type"] == .string("response.completed"))
        #expect(last["response"] == answer.response(Self.identity, try Self.echo()))
        let done = events.filter { $0["type"] == .string("response.output_item.done") }.map { $0["item"] }
        #expect(done == last["response"]?["output"]?.elements.map { $0 })
    }

    @Test func aCallThatIsCutOffIsIncomplete() throws {
        let events = try Self.events([
            .callBegun(0, id: "c", name: "pay"), .callArguments(0, #"{"amount": 1"#), .finish(.length),
        ])
        let response = try #require(events.last?["response"])
        #expect(response["status"] == .string("incomplete"))
        #expect(response["incomplete_details"]?["reason"] == .string("max_output_tokens"))
        #expect(response["output"]?.elements.first?["status"] == .string("incomplete"))
    }

    @Test func aPingComesAfterTheEventsThatBeginAResponse() throws {
        var (writer, bytes) = (ResponseEvents(Self.identity, try Self.echo()), [UInt8]())
        writer.ping(to: &bytes)
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(text.hasPrefix("event: response.created\n") && text.hasSuffix("\n\n: ping\n\n"))
        writer.ping(to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == text + ": ping\n\n")
    }

    @Test func callsAndTextsOfATurnAreOneTurn() throws {
        let request = try Self.request(
            """
            {"input":[{"role":"user","content":"a"},{"type":"function_call","call_id":"1","name":"f","arguments":""},
            {"role":"assistant","content":"and"},{"type":"function_call","call_id":"2","name":"g","arguments":"{}"},
            {"type":"function_call_output","call_id":"1","output":"x"},
            {"type":"function_call_output","call_id":"2","output":[]}]}
            """)
        #expect(
            request.messages == [
                .user([.text("a")]),
                .assistant(
                    text: "and",
                    calls: [
                        ChatToolCall(id: "1", name: "f", arguments: .object([])),
                        ChatToolCall(id: "2", name: "g", arguments: .object([])),
                    ]), .tool(callID: "1", content: [.text("x")], isError: false),
                .tool(callID: "2", content: [], isError: false),
            ])
    }
}
