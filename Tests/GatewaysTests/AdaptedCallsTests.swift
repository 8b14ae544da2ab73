import Domain
import Gateways
import TestSupport
import Testing

/// Calls of tools under names and choices that a provider does not know.
@Suite struct AdaptedCallsTests {
    private static let long = "mcp__" + String(repeating: "server_", count: 10) + "tool"

    private static func request(_ names: [String], _ choice: ChatRequest.ToolChoice) -> ChatRequest {
        var request = ChatRequest(model: "m")
        request.messages = [.user([.text("go")])]
        request.tools = names.map { ChatRequest.Tool(name: $0, description: " ", parameters: .object([])) }
        request.toolChoice = choice
        return request
    }

    private static func value(_ text: String) throws -> JSONValue { try JSONValue(parsing: Array(text.utf8)) }

    @Test(arguments: [long, "functions.help", "søk", String(repeating: "a", count: 65)])
    func aNameIsAcceptedThereAndTheCallersInTheAnswer(name: String) throws {
        var asked = Self.request([name, "other"], .function(name))
        asked.messages += [.assistant(text: "", calls: [ChatToolCall(id: "1", name: name, arguments: .object([]))])]
        let names = AcceptedToolNames(asked)
        let sent = names.applied(to: asked)
        let accepted = sent.tools[0].name
        #expect(accepted.wholeMatch(of: /[a-zA-Z0-9_-]{1,64}/) != nil && sent.tools[1].name == "other")
        #expect(sent.toolChoice == .function(accepted))
        let call = ChatToolCall(id: "1", name: accepted, arguments: .object([]))
        #expect(sent.messages[1] == .assistant(text: "", calls: [call]))
        #expect(names.restored(.callBegun(0, id: "1", name: accepted)) == .callBegun(0, id: "1", name: name))
        let answer = ChatAnswer(calls: [call], finish: .toolCalls)
        #expect(names.restored(answer).calls[0].name == name)
    }

    /// A name of the caller's may be what another one becomes.
    @Test(arguments: [long, "functions.help"])
    func namesThatWouldBecomeTheSameStayDifferent(name: String) throws {
        let taken = AcceptedToolNames(Self.request([name], .auto)).applied(to: Self.request([name], .auto)).tools[0]
            .name
        for given in [[name, taken], [taken, name], [name, taken, name + "."]] {
            let asked = Self.request(given, .function(name))
            let names = AcceptedToolNames(asked)
            let sent = names.applied(to: asked)
            #expect(Set(sent.tools.map(\.name)).count == given.count)
            #expect(sent.tools.allSatisfy { $0.name.wholeMatch(of: /[a-zA-Z0-9_-]{1,64}/) != nil })
            for (tool, own) in zip(sent.tools, given) {
                #expect(names.restored(.callBegun(0, id: "1", name: tool.name)) == .callBegun(0, id: "1", name: own))
            }
            let chosen = try #require(given.firstIndex(of: name))
            #expect(sent.toolChoice == .function(sent.tools[chosen].name))
        }
    }

    /// To `==` a Kelvin sign is a letter K.
    @Test func namesThatAreCanonicallyEquivalentStayDifferent() {
        let given = ["K", "\u{212A}", "s\u{F8}k\u{E9}", "s\u{F8}ke\u{301}"]
        let asked = Self.request(given, .auto)
        let names = AcceptedToolNames(asked)
        let sent = names.applied(to: asked).tools.map(\.name)
        #expect(Set(sent).count == 4 && sent[0].utf8.elementsEqual("K".utf8))
        for (name, own) in zip(sent, given) {
            guard case .callBegun(_, _, let restored) = names.restored(.callBegun(0, id: "1", name: name)) else {
                continue
            }
            #expect(restored.utf8.elementsEqual(own.utf8))
        }
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func callsOfOneAnswerThatShareAnIdGetTheirOwn(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let ids = ["a", "a_2", "a_3", "functions.help:0", "a__signed__cw", String(repeating: "x", count: 50)]
        let calls = (0..<Int.random(in: 1...8, using: &random)).map { number in
            ChatToolCall(
                id: random.pick(ids), name: "tool_\(number)",
                arguments: .object([.init(name: "n", value: .number("1"))]))
        }
        let given = ChatAnswer(calls: calls, finish: .toolCalls)
        var adapted = AdaptedRequest(Self.request([], .auto), for: OllamaFormat())
        let whole = adapted.answer(given)
        #expect(Set(whole.calls.map(\.id)).count == calls.count && whole.calls.map(\.name) == calls.map(\.name))
        #expect(whole.calls[0].id == calls[0].id, "the first one keeps the id")
        let parts = calls.enumerated().flatMap { number, call in
            adapted.read(.callBegun(number, id: call.id, name: call.name))
        }
        #expect(parts == whole.calls.enumerated().map { ChatDelta.callBegun($0, id: $1.id, name: $1.name) })
        // The turn back has them as they are, each result with its call.
        var next = Self.request([], .auto)
        next.messages.append(.assistant(text: "", calls: whole.calls))
        for call in whole.calls.shuffled(using: &random) {
            next.messages.append(.tool(callID: call.id, content: [.text(call.name)], isError: false))
        }
        #expect(AdaptedRequest(next, for: OllamaFormat()).request == next)
    }

    @Test func resultsFollowTheOrderOfCallsThatShareAnId() {
        func turn(_ ids: [String]) -> [ChatRequest.Message] {
            let calls = ids.map { ChatToolCall(id: $0, name: "f", arguments: .object([])) }
            let results = ids.map { ChatRequest.Message.tool(callID: $0, content: [.text("r")], isError: false) }
            return [ChatRequest.Message.assistant(text: "", calls: calls)] + results
        }
        var asked = Self.request([], .auto)
        asked.messages += turn(["a", "b", "a"]) + turn(["a"])
        var expected = Self.request([], .auto)
        expected.messages += turn(["a", "b", "a_2"]) + turn(["a_3"])
        #expect(AdaptedRequest(asked, for: OllamaFormat()).request == expected)
    }

    @Test func namesThatAreAcceptedStay() {
        let asked = Self.request(["a", String(repeating: "b", count: 64)], .required)
        #expect(AcceptedToolNames(asked).applied(to: asked) == asked)
    }

    @Test func aBlankDescriptionIsLeftOut() {
        #expect(Self.request(["a"], .auto).tools[0].description == nil)
    }

    @Test func aForcedCallIsAnAnswerOfItsSchema() throws {
        let asked = Self.request(["a", "b"], .function("b"))
        let forced = try #require(ForcedCall(asked))
        let sent = forced.applied(to: asked)
        #expect(sent.tools.isEmpty && sent.toolChoice == .auto && sent.system.count == 1)
        guard case .schema(let format) = sent.answerFormat else { throw ForcedCallError() }
        #expect(format.schema == (try Self.value(#"{"type":"object","properties":{}}"#)))
        let answer = forced.read(ChatAnswer(text: #"{"x": 1}"#, finish: .stop))
        #expect(answer.text.isEmpty && answer.finish == .toolCalls)
        #expect(answer.calls.map(\.name) == ["b"])
        #expect(try answer.calls.first?.arguments == Self.value(#"{"x":1}"#))
    }

    @Test func aForcedCallAmongSeveralNamesItsTool() throws {
        let forced = try #require(ForcedCall(Self.request(["a", "b"], .required)))
        let answer = forced.read(ChatAnswer(text: #"{"name":"b","arguments":{"x":1}}"#, finish: .stop))
        #expect(answer.calls.map(\.name) == ["b"])
        #expect(try answer.calls.first?.arguments == Self.value(#"{"x":1}"#))
        let other = ChatAnswer(text: #"{"name":"c","arguments":{}}"#, finish: .stop)
        #expect(forced.read(other) == other, "an answer that is no call stays the text that it is")
    }

    @Test func aForcedCallThatTheLimitOfTokensCutIsNone() throws {
        let forced = try #require(ForcedCall(Self.request(["a"], .required)))
        #expect(forced.read(ChatAnswer(text: #"{"x": "#, finish: .length)) == ChatAnswer(finish: .length))
    }

    @Test(arguments: [["a"], ["a", "b"]])
    func aForcedCallIsStreamedAsOne(names: [String]) throws {
        var forced = try #require(ForcedCall(Self.request(names, .required)))
        let text = names.count == 1 ? #"{"x":1}"# : #"{"name":"a","arguments":{"x":1}}"#
        var deltas = text.flatMap { forced.read(.text(String($0))) }
        deltas += forced.read(.finish(.stop)) + forced.read(.usage(TokenUsage(prompt: 1, completion: 2, cached: 0)))
        var (called, arguments) = ([String](), "")
        for case .callBegun(_, _, let name) in deltas { called.append(name) }
        for case .callArguments(0, let more) in deltas { arguments += more }
        #expect(called == ["a"] && arguments == #"{"x":1}"#)
        #expect(deltas.suffix(2).first == .finish(.toolCalls))
    }

    @Test func aChoiceThatIsTheModelsForcesNothing() {
        #expect(ForcedCall(Self.request(["a"], .auto)) == nil && ForcedCall(Self.request([], .required)) == nil)
        #expect(ForcedCall(Self.request(["a"], .function("b"))) == nil)
    }
}

private struct ForcedCallError: Error {}
