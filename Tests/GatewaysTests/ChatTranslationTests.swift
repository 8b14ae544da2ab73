import Domain
import Gateways
import TestSupport
import Testing

/// What is asked and answered means the same in every format.
@Suite struct ChatTranslationTests {
    private static let identity = CompletionIdentity(id: "c", model: "m", created: 1)

    private static func value(_ text: String) throws -> JSONValue { try JSONValue(parsing: Array(text.utf8)) }

    private static func word(_ random: inout SeededRandom) -> String {
        ["ja", "å \"quote\"", "line\nbreak", "\u{1F600}", "{}", "</x>"].randomElement(using: &random) ?? ""
    }

    /// An answer of any shape, and the same as Anthropic and Bedrock write it.
    private static func answer(_ random: inout SeededRandom) -> ChatAnswer {
        var answer = ChatAnswer(
            text: Bool.random(using: &random) ? word(&random) : "",
            finish: [.stop, .length, .contentFilter].randomElement(using: &random) ?? .stop,
            usage: TokenUsage(
                prompt: .random(in: 10...99, using: &random), completion: .random(in: 0...99, using: &random),
                cached: .random(in: 0...9, using: &random)))
        for number in 0..<Int.random(in: 0...3, using: &random) {
            let arguments = JSONValue.object([.init(name: word(&random), value: .string(word(&random)))])
            answer.calls.append(ChatToolCall(id: "call-\(number)", name: "tool\(number)", arguments: arguments))
        }
        if !answer.calls.isEmpty { answer.finish = .toolCalls }
        return answer
    }

    private static func string(_ text: String) -> String { JSONValue.string(text).text.text }

    private static func anthropic(_ answer: ChatAnswer) throws -> JSONValue {
        var blocks = answer.text.isEmpty ? [] : [#"{"type":"text","text":\#(string(answer.text))}"#]
        blocks += answer.calls.map {
            #"{"type":"tool_use","id":"\#($0.id)","name":"\#($0.name)","input":\#($0.arguments.text.text)}"#
        }
        let reasons: [FinishReason: String] = [
            .stop: "end_turn", .length: "max_tokens", .toolCalls: "tool_use", .contentFilter: "refusal",
        ]
        let usage = try #require(answer.usage)
        return try value(
            """
            {"content":[\(blocks.joined(separator: ","))],"stop_reason":"\(reasons[answer.finish] ?? "")",
            "usage":{"input_tokens":\(usage.prompt - usage.cached),"output_tokens":\(usage.completion),
            "cache_read_input_tokens":\(usage.cached)}}
            """)
    }

    private static func bedrock(_ answer: ChatAnswer) throws -> JSONValue {
        var blocks = answer.text.isEmpty ? [] : [#"{"text":\#(string(answer.text))}"#]
        blocks += answer.calls.map {
            #"{"toolUse":{"toolUseId":"\#($0.id)","name":"\#($0.name)","input":\#($0.arguments.text.text)}}"#
        }
        let reasons: [FinishReason: String] = [
            .stop: "stop_sequence", .length: "max_tokens", .toolCalls: "tool_use", .contentFilter: "content_filtered",
        ]
        let usage = try #require(answer.usage)
        return try value(
            """
            {"output":{"message":{"role":"assistant","content":[\(blocks.joined(separator: ","))]}},
            "stopReason":"\(reasons[answer.finish] ?? "")","usage":{"inputTokens":\(usage.prompt - usage.cached),
            "outputTokens":\(usage.completion),"cacheReadInputTokens":\(usage.cached)}}
            """)
    }

    @Test(arguments: 0..<100 as Range<UInt64>)
    func anAnswerKeepsItsMeaningInEachFormat(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let answer = Self.answer(&random)
        let request = ChatRequest(model: "m")
        #expect(try AnthropicFormat().answer(Self.anthropic(answer), to: request) == answer)
        #expect(try BedrockFormat().answer(Self.bedrock(answer), to: request) == answer)
    }

    /// What the model said comes back to it in the next turn: there and back it is the same call.
    @Test(arguments: 0..<100 as Range<UInt64>)
    func anAnswerThatIsSentBackIsTheSame(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let answer = Self.answer(&random)
        guard !answer.text.isEmpty || !answer.calls.isEmpty else { return }
        let shown = answer.openAI(Self.identity)
        guard case .array(let choices)? = shown["choices"], let message = choices.first?["message"] else {
            Issue.record("an answer has a message")
            return
        }
        let body = JSONValue.object([
            .init(name: "model", value: .string("m")), .init(name: "messages", value: .array([message])),
        ])
        let request = try ChatRequest(openAI: body, model: "m")
        #expect(request.messages == [.assistant(text: answer.text, calls: answer.calls)])
        let sent = try AnthropicFormat().body(of: request)
        guard case .array(let turns)? = sent["messages"] else {
            Issue.record("a request has messages")
            return
        }
        #expect(turns.first?["content"] == (try Self.anthropic(answer))["content"])
        let toBedrock = try? BedrockFormat().body(of: request)
        guard answer.calls.isEmpty else {
            #expect(toBedrock == nil, "it needs the tools again")
            return
        }
        guard case .array(let others)? = toBedrock?["messages"] else {
            Issue.record("a request has messages")
            return
        }
        #expect(others.first?["content"] == (try Self.bedrock(answer))["output"]?["message"]?["content"])
    }

    /// What is shown to a caller is read as the same by a provider of that format.
    @Test(arguments: 0..<100 as Range<UInt64>)
    func anAnswerInACallersFormatIsReadAsTheSame(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let answer = Self.answer(&random)
        let request = ChatRequest(model: "m")
        #expect(try AnthropicFormat().answer(answer.anthropic(Self.identity), to: request) == answer)
        #expect(try OpenAIFormat(isOpenAI: true).answer(answer.openAI(Self.identity), to: request) == answer)
    }

    /// The same of its parts, whatever the pieces that they come in.
    @Test(arguments: 0..<100 as Range<UInt64>)
    func aStreamInACallersFormatIsReadAsTheSame(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let answer = Self.answer(&random)
        var deltas: [ChatDelta] = answer.text.isEmpty ? [] : [.text(answer.text), .text("more")]
        for (number, call) in answer.calls.enumerated() {
            deltas += [
                .callBegun(number, id: call.id, name: call.name), .callArguments(number, call.arguments.text.text),
            ]
        }
        deltas += [.finish(answer.finish), .usage(try #require(answer.usage))]
        let formats: [(any ChatStreamWriter, any ChatTranslator)] = [
            (MessageEvents(Self.identity), AnthropicFormat()),
            (CompletionChunks(Self.identity, includesUsage: true), OpenAIFormat(isOpenAI: true)),
        ]
        for (writer, format) in formats {
            var (writer, stream, bytes, found) = (writer, format.stream(), [UInt8](), [ChatDelta]())
            for delta in deltas { writer.write(delta, to: &bytes) }
            writer.end(to: &bytes)
            while !bytes.isEmpty {
                #expect(!stream.isComplete)
                let count = Int.random(in: 1...min(40, bytes.count), using: &random)
                try stream.read(Array(bytes.prefix(count)), into: &found)
                bytes.removeFirst(count)
            }
            #expect(found == deltas && stream.isComplete)
        }
    }

    @Test(arguments: 0..<100 as Range<UInt64>)
    func aRequestOfAnthropicsIsTheSameThereAndBack(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var request = ChatRequest(model: "m")
        if Bool.random(using: &random) { request.system = [Self.word(&random)] }
        let answer = Self.answer(&random)
        request.messages = [
            .user([.text(Self.word(&random)), .image(.url("https://images.test/a")), .text("and")])
        ]
        if !answer.text.isEmpty || !answer.calls.isEmpty {
            request.messages.append(.assistant(text: answer.text, calls: answer.calls))
            request.messages += answer.calls.map {
                .tool(
                    callID: $0.id, content: [.text(Self.word(&random))], isError: false)
            }
            request.messages.append(
                .user([.image(.data(mediaType: "image/png", base64: "AAAA")), .text(Self.word(&random))]))
        }
        request.tools = (0..<Int.random(in: 0...2, using: &random)).map {
            ChatRequest.Tool(
                name: "tool\($0)", description: Self.word(&random),
                parameters: .object([
                    .init(name: "type", value: .string("object")), .init(name: "properties", value: .object([])),
                ]))
        }
        if !request.tools.isEmpty {
            request.toolChoice =
                [.auto, .none, .required, .function("tool0")].randomElement(using: &random) ?? .auto
        }
        request.tokensMax = .random(in: 1...9999, using: &random)
        request.temperature = Bool.random(using: &random) ? "0.5" : nil
        request.topP = Bool.random(using: &random) ? "0.9" : nil
        request.stop = Bool.random(using: &random) ? ["END", Self.word(&random)] : []
        request.isStreamed = Bool.random(using: &random)
        request.includesUsage = true
        let body = try AnthropicFormat().body(of: request)
        #expect(try ChatRequest(anthropic: body, model: "m") == request)
        var asked = try ChatRequest(openAI: OpenAIFormat(isOpenAI: true).body(of: request), model: "m")
        asked.includesUsage = true
        #expect(asked == request)
    }

    @Test func aCallWithoutArgumentsHasAnEmptyObjectOfThem() throws {
        var (chunks, bytes) = (CompletionChunks(Self.identity, includesUsage: false), [UInt8]())
        let deltas: [ChatDelta] = [
            .callBegun(0, id: "a", name: "f"), .callBegun(1, id: "b", name: "g"), .callArguments(1, "{\"x\":1}"),
            .finish(.toolCalls),
        ]
        for delta in deltas { chunks.write(delta, to: &bytes) }
        chunks.end(to: &bytes)
        var events = ServerSentEvents(bytesMax: 4096)
        var arguments: [String: String] = [:]
        for data in try events.read(bytes).dropLast() {
            guard case .array(let choices)? = try JSONValue(parsing: data)["choices"],
                case .array(let calls)? = choices.first?["delta"]?["tool_calls"]
            else { continue }
            for call in calls {
                guard case .number(let index)? = call["index"] else { continue }
                arguments[index, default: ""] += call["function"]?["arguments"]?.string ?? ""
            }
        }
        #expect(arguments == ["0": "{}", "1": "{\"x\":1}"])
    }

    @Test func temperaturesAreWithinWhatAnthropicTakes() throws {
        for (given, sent) in [("0.7", "0.7"), ("1", "1"), ("1.5", "1"), ("2", "1")] {
            var request = ChatRequest(model: "m")
            request.temperature = given
            #expect(try AnthropicFormat().body(of: request)["temperature"] == .number(sent))
        }
    }
}
