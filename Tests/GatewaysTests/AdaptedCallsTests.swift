import Domain
import Gateways
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
        let schema = try Self.value(#"{"type":"object","properties":{}}"#)
        #expect(format.schema == schema)
        let answer = forced.read(ChatAnswer(text: #"{"x": 1}"#, finish: .stop))
        #expect(answer.text.isEmpty && answer.finish == .toolCalls)
        let arguments = try Self.value(#"{"x":1}"#)
        #expect(answer.calls.map(\.name) == ["b"] && answer.calls[0].arguments == arguments)
    }

    @Test func aForcedCallAmongSeveralNamesItsTool() throws {
        let forced = try #require(ForcedCall(Self.request(["a", "b"], .required)))
        let answer = forced.read(ChatAnswer(text: #"{"name":"b","arguments":{"x":1}}"#, finish: .stop))
        let arguments = try Self.value(#"{"x":1}"#)
        #expect(answer.calls.map(\.name) == ["b"] && answer.calls[0].arguments == arguments)
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
