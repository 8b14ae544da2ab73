import Domain
import Gateways
import TestSupport
import Testing

/// Tool calls of streams in OpenAI's format, as services write them, reach callers whole and one by one.
@Suite struct ToolCallStreamTests {
    private struct Call: Hashable {
        var id: String
        var name: String
        var arguments: String
    }

    /// What Anthropic's SDK accumulates from the stream; fails on an event for a block that is not open.
    private struct Message {
        var calls: [Call] = []
        var text = ""
        var stopReason: String?

        init(_ bytes: [UInt8]) throws {
            var events = ServerSentEvents(bytesMax: 1 << 20)
            var open: (index: JSONValue, isCall: Bool)?
            for data in try events.read(bytes) {
                let event = try JSONValue(parsing: data)
                switch event["type"]?.string {
                case "content_block_start":
                    #expect(open == nil)
                    let block = try #require(event["content_block"])
                    open = (try #require(event["index"]), block["type"]?.string == "tool_use")
                    if block["type"]?.string == "tool_use" {
                        calls.append(
                            Call(
                                id: try #require(block["id"]?.string), name: try #require(block["name"]?.string),
                                arguments: ""))
                    }
                case "content_block_delta":
                    #expect(open?.index == event["index"])
                    if let piece = event["delta"]?["partial_json"]?.string {
                        calls[calls.count - 1].arguments += piece
                    } else {
                        text += event["delta"]?["text"]?.string ?? ""
                    }
                case "content_block_stop":
                    #expect(open?.index == event["index"])
                    open = nil
                case "message_delta": stopReason = event["delta"]?["stop_reason"]?.string
                default: break
                }
            }
            #expect(open == nil)
        }
    }

    private static func message(_ deltas: [String], finish: String = "tool_calls") throws -> Message {
        var (stream, writer, bytes) = (
            OpenAIFormat(isOpenAI: false).stream(), MessageEvents(CompletionIdentity(id: "m", model: "m", created: 1)),
            [UInt8]()
        )
        var chunks = deltas.map { #"{"choices":[{"index":0,"delta":\#($0),"finish_reason":null}]}"# }
        chunks.append(#"{"choices":[{"index":0,"delta":{},"finish_reason":"\#(finish)"}]}"#)
        for chunk in chunks + ["[DONE]"] {
            var parts: [ChatDelta] = []
            try stream.read(Array("data: \(chunk)\n\n".utf8), into: &parts)
            for part in parts { writer.write(part, to: &bytes) }
        }
        writer.end(to: &bytes)
        return try Message(bytes)
    }

    private static func calls(_ fragments: String...) -> [String] { fragments.map { #"{"tool_calls":[\#($0)]}"# } }

    @Test func parallelCallsOfTheSameIndexStayTwo() throws {
        for index in [#""index":0,"#, ""] {
            let message = try Self.message(
                Self.calls(
                    #"{\#(index)"id":"a","function":{"name":"f","arguments":"{\"x\":1}"}}"#,
                    #"{\#(index)"id":"b","function":{"name":"g","arguments":"{\"y\":2}"}}"#))
            #expect(
                message.calls == [
                    Call(id: "a", name: "f", arguments: #"{"x":1}"#), Call(id: "b", name: "g", arguments: #"{"y":2}"#),
                ])
        }
    }

    @Test func aCallWithoutAnIdGetsOne() throws {
        let message = try Self.message(
            Self.calls(
                #"{"index":0,"function":{"name":"f","arguments":"{}"}}"#,
                #"{"index":0,"function":{"name":"f","arguments":"{\"x\":1}"}}"#))
        #expect(message.calls.map(\.name) == ["f", "f"] && message.calls.map(\.arguments) == ["{}", #"{"x":1}"#])
        #expect(Set(message.calls.map(\.id)).count == 2)
    }

    @Test func anIdAndANameInFragmentsOfTheirOwnAreOneCall() throws {
        let orders = [
            Self.calls(#"{"index":0,"id":"a"}"#, #"{"index":0,"function":{"name":"f"}}"#),
            Self.calls(#"{"index":0,"function":{"name":"f"}}"#, #"{"index":0,"id":"a"}"#),
            Self.calls(
                #"{"index":0,"id":"a","function":{"name":"","arguments":""}}"#,
                #"{"index":0,"id":"a","function":{"name":"f","arguments":""}}"#),
        ]
        for order in orders {
            let message = try Self.message(order + Self.calls(#"{"index":0,"function":{"arguments":"{\"x\":1}"}}"#))
            #expect(message.calls == [Call(id: "a", name: "f", arguments: #"{"x":1}"#)])
        }
    }

    @Test func aNameThatIsRepeatedInEachFragmentIsOneCall() throws {
        let message = try Self.message(
            Self.calls(
                #"{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\""}}"#,
                #"{"index":0,"id":"a","function":{"name":"f","arguments":":1}"}}"#,
                #"{"index":0,"id":"a","function":{"name":"f","arguments":""}}"#))
        #expect(message.calls == [Call(id: "a", name: "f", arguments: #"{"x":1}"#)])
    }

    @Test func callsOfOneIdAndIndexStayTwo() throws {
        let head = #"{"index":0,"id":"a","function":{"name":"f","arguments":""}}"#
        let message = try Self.message(
            Self.calls(
                head, #"{"index":0,"function":{"arguments":"{\"x\":1}"}}"#, head,
                #"{"index":0,"function":{"arguments":"{\"y\""}}"#, #"{"index":0,"function":{"arguments":":2}"}}"#, head)
        )
        #expect(
            message.calls == [
                Call(id: "a", name: "f", arguments: #"{"x":1}"#), Call(id: "a", name: "f", arguments: #"{"y":2}"#),
            ])
    }

    @Test func argumentsAsAnObjectAreKept() throws {
        let message = try Self.message(
            Self.calls(#"{"index":0,"id":"a","function":{"name":"f","arguments":{"amount":5,"to":["x"]}}}"#))
        #expect(message.calls.map(\.arguments) == [#"{"amount":5,"to":["x"]}"#])
        let whole = try OpenAIFormat(isOpenAI: false).answer(
            JSONValue(
                parsing: Array(
                    #"{"choices":[{"message":{"tool_calls":[{"id":"a","function":{"name":"f","arguments":{"amount":5}}}]}}]}"#
                        .utf8)), to: ChatRequest(model: "m"))
        #expect(whole.calls.map(\.arguments.text.text) == [#"{"amount":5}"#])
    }

    @Test func aForcedCallEndsAsACall() throws {
        let message = try Self.message(
            Self.calls(#"{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}"#), finish: "stop")
        #expect(message.stopReason == "tool_use")
    }

    @Test func anotherIdWithoutANameBelongsToTheCall() throws {
        let message = try Self.message(
            Self.calls(
                #"{"index":0,"id":"a","function":{"name":"f","arguments":""}}"#,
                #"{"index":0,"id":"b","function":{"arguments":"{\"x\":1}"}}"#, #"{"index":0}"#))
        #expect(message.calls == [Call(id: "a", name: "f", arguments: #"{"x":1}"#)])
    }

    @Test func anEmptyReasonToFinishInEachPartEndsNoCall() throws {
        var (stream, deltas) = (OpenAIFormat(isOpenAI: false).stream(), [ChatDelta]())
        for call in [
            #"{"index":0,"id":"a","function":{"name":"f","arguments":""}}"#,
            #"{"index":0,"function":{"arguments":"{}"}}"#,
        ] {
            let chunk = #"{"choices":[{"delta":{"tool_calls":[\#(call)]},"finish_reason":""}]}"#
            try stream.read(Array("data: \(chunk)\n\n".utf8), into: &deltas)
        }
        #expect(deltas == [.callBegun(0, id: "a", name: "f"), .callArguments(0, "{}")])
    }

    @Test func aCallWithoutANameEndsTheStreamWithAnError() {
        #expect(throws: BrokenStream.self) { try Self.message(Self.calls(#"{"index":0,"id":"a"}"#)) }
    }

    @Test func contentAsPartsIsText() throws {
        let message = try Self.message(
            [#"{"content":[{"type":"text","text":"he"}]}"#, #"{"content":"llo"}"#], finish: "stop")
        #expect(message.text == "hello" && message.stopReason == "end_turn")
        let whole = try OpenAIFormat(isOpenAI: false).answer(
            JSONValue(
                parsing: Array(
                    #"{"choices":[{"message":{"content":[{"type":"thinking"},{"type":"text","text":"hi"}]},"finish_reason":"stop"}]}"#
                        .utf8)), to: ChatRequest(model: "m"))
        #expect(whole.text == "hi")
    }

    /// Fragments of parallel calls, and texts between them, in any interleaving.
    @Test(arguments: 0..<200 as Range<UInt64>)
    func interleavedCallsReachACallerWhole(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let calls = (0..<Int.random(in: 1...4, using: &random)).map { number in
            Call(
                id: "call\(number)", name: "f\(number)",
                arguments:
                    #"{"text":"} \"\\{ \#(number)","list":[{"n":\#(UInt8.random(in: 0...255, using: &random))}]}"#)
        }
        var queues = calls.enumerated().map { index, call -> [String] in
            var (rest, fragments) = (call.arguments[...], [String]())
            while !rest.isEmpty {
                let piece = rest.prefix(Int.random(in: 1...9, using: &random))
                rest = rest.dropFirst(piece.count)
                let text = JSONValue.string(String(piece)).text.text
                let head = fragments.isEmpty ? #""id":"\#(call.id)","# : ""
                let name = fragments.isEmpty ? #""name":"\#(call.name)","# : ""
                fragments.append(#"{"index":\#(index),\#(head)"function":{\#(name)"arguments":\#(text)}}"#)
            }
            return fragments
        }
        // Calls begin in order, as their indexes say.
        var deltas = Self.calls(queues[0].removeFirst())
        var (begun, said) = (1, "")
        while begun < calls.count || queues.contains(where: { !$0.isEmpty }) {
            if Int.random(in: 0..<5, using: &random) == 0 {
                deltas.append(#"{"content":"ha"}"#)
                said += "ha"
            }
            if begun < calls.count, Bool.random(using: &random) {
                deltas += Self.calls(queues[begun].removeFirst())
                begun += 1
            }
            let index = Int.random(in: 0..<begun, using: &random)
            if !queues[index].isEmpty { deltas += Self.calls(queues[index].removeFirst()) }
        }
        let message = try Self.message(deltas)
        #expect(message.calls == calls)
        #expect(message.text == said && message.stopReason == "tool_use")
    }

    @Test func aCallThatTheLimitOfTokensCutsOffIsAnAnswerWithoutIt() throws {
        let document = try JSONValue(
            parsing: Array(
                #"{"choices":[{"message":{"content":"so","tool_calls":[{"id":"a","function":{"name":"f","arguments":"{\"x\":"}}]},"finish_reason":"length"}],"usage":{"prompt_tokens":3,"completion_tokens":4}}"#
                    .utf8))
        let answer = try OpenAIFormat(isOpenAI: true).answer(document, to: ChatRequest(model: "m"))
        #expect(
            answer
                == ChatAnswer(text: "so", finish: .length, usage: TokenUsage(prompt: 3, completion: 4)))
    }

    @Test func argumentsThatAreNoObjectAreAnErrorWithTheTokensBilled() throws {
        let document = try JSONValue(
            parsing: Array(
                #"{"choices":[{"message":{"tool_calls":[{"id":"a","function":{"name":"f","arguments":"{\"x\":"}}]},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":3,"completion_tokens":4}}"#
                    .utf8))
        let error = #expect(throws: UnreadableAnswer.self) {
            try OpenAIFormat(isOpenAI: true).answer(document, to: ChatRequest(model: "m"))
        }
        #expect(error?.usage == TokenUsage(prompt: 3, completion: 4))
    }
}
