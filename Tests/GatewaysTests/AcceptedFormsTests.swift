import Domain
import Gateways
import Testing

/// Requests reach each provider with ids, schemas and texts in the form that it accepts.
@Suite struct AcceptedFormsTests {
    private static func value(_ text: String) throws -> JSONValue { try JSONValue(parsing: Array(text.utf8)) }

    private static func request(openAI text: String) throws -> ChatRequest {
        try ChatRequest(openAI: value(text), model: "m")
    }

    private static func request(anthropic text: String) throws -> ChatRequest {
        try ChatRequest(anthropic: value(text), model: "m")
    }

    private static let translators: [any ChatTranslator] = [
        AnthropicFormat(), BedrockFormat(), OllamaFormat(), OpenAIFormat(isOpenAI: true),
    ]

    @Test(arguments: ["functions.help:0", "call|1", "ä", String(repeating: "a", count: 65), "toolu_01", ""])
    func anIdOfACallIsAcceptedEverywhereAndTheSameForItsResult(id: String) throws {
        let text = JSONValue.string(id).text.text
        let request = try Self.request(
            openAI: """
                {"messages":[{"role":"user","content":"go"},{"role":"assistant","content":null,"tool_calls":[
                {"id":\(text),"type":"function","function":{"name":"f","arguments":"{}"}}]},
                {"role":"tool","tool_call_id":\(text),"content":"done"}],
                "tools":[{"type":"function","function":{"name":"f"}}]}
                """)
        func strings(_ name: String, in value: JSONValue) -> [String] {
            switch value {
            case .array(let values): values.flatMap { strings(name, in: $0) }
            case .object(let members):
                members.flatMap { member in
                    member.name == name ? [member.value.string].compactMap(\.self) : strings(name, in: member.value)
                }
            default: []
            }
        }
        let formats: [(any ChatTranslator, String, String)] = [
            (AnthropicFormat(), "id", "tool_use_id"), (BedrockFormat(), "toolUseId", "toolUseId"),
            (OpenAIFormat(isOpenAI: true), "id", "tool_call_id"),
        ]
        for (format, call, result) in formats {
            let body = try format.body(of: request)
            let ids = Set(strings(call, in: body) + strings(result, in: body))
            let sent = try #require(ids.first)
            #expect(ids.count == 1 && (1...40).contains(sent.utf8.count))
            #expect(sent.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == "-") })
            #expect(sent == "toolu_01" || id != "toolu_01")
        }
    }

    /// Callers send back a call that a limit of tokens cut off.
    @Test func argumentsThatAreNoObjectReachEveryProviderInOne() throws {
        let call = #"{"id":"c","type":"function","function":{"name":"f","arguments":"{\"a\": "}}"#
        let item = #"{"type":"function_call","call_id":"c","name":"f","arguments":"{\"a\": "}"#
        let requests = [
            try Self.request(
                openAI: """
                    {"messages":[{"role":"user","content":"go"},{"role":"assistant","content":null,"tool_calls":[\(call)]},
                    {"role":"tool","tool_call_id":"c","content":"no JSON"}]}
                    """),
            try ChatRequest(
                responses: Self.value(
                    """
                    {"input":[{"role":"user","content":"go"},\(item),
                    {"type":"function_call_output","call_id":"c","output":"no JSON"}]}
                    """), model: "m"),
        ]
        for var request in requests {
            request.tools = [ChatRequest.Tool(name: "f", description: nil, parameters: .object([]))]
            let formats: [any ChatTranslator] = [AnthropicFormat(), BedrockFormat(), OllamaFormat(), GeminiFormat()]
            for format in formats {
                #expect(try format.body(of: request).text.text.contains(#"{"text":"{\"a\": "}"#))
            }
        }
    }

    @Test func differentIdsStayDifferent() throws {
        var ids: Set<String> = []
        for id in ["a.b", "a:b", "a_b", "a b", String(repeating: "x", count: 99), String(repeating: "x", count: 98)] {
            let call = ChatToolCall(id: id, name: "f", arguments: .object([]))
            let document = ChatAnswer(calls: [call], finish: .toolCalls)
                .anthropic(CompletionIdentity(id: "c", model: "m", created: 1))
            guard case .array(let content)? = document["content"] else { continue }
            ids.insert(try #require(content.first?["id"]?.string))
        }
        #expect(ids.count == 6)
    }

    @Test func everySchemaOfAToolIsOneOfAnObject() throws {
        for schema in ["{}", #"{"type":"object"}"#, #"{"properties":{}}"#, #"{"type":["object","null"]}"#] {
            let request = try Self.request(
                anthropic: """
                    {"max_tokens":9,"messages":[{"role":"user","content":"go"}],
                    "tools":[{"name":"f","input_schema":\(schema)}]}
                    """)
            let body = try OpenAIFormat(isOpenAI: true).body(of: request)
            guard case .array(let tools)? = body["tools"] else { throw BrokenStream("no tools") }
            let sent = tools.first?["function"]?["parameters"]
            #expect(sent?["type"] == .string("object") && sent?["properties"] != nil)
            #expect(tools.first?["function"]?["strict"] == nil)
        }
    }

    @Test func strictnessIsTheCallers() throws {
        for (given, sent) in [("true", JSONValue.bool(true)), ("false", .bool(false)), (nil, nil)]
            as [(String?, JSONValue?)]
        {
            let strict = given.map { #","strict":\#($0)"# } ?? ""
            let request = try Self.request(
                openAI: """
                    {"messages":[{"role":"user","content":"go"}],"response_format":{"type":"json_schema","json_schema":
                    {"name":"person"\(strict),"schema":{"type":"object"}}}}
                    """)
            let format = try OpenAIFormat(isOpenAI: true).body(of: request)["response_format"]?["json_schema"]
            #expect(format?["strict"] == sent && format?["name"] == .string("person"))
        }
        let request = try Self.request(
            anthropic: """
                {"max_tokens":9,"messages":[{"role":"user","content":"go"}],
                "output_config":{"format":{"type":"json_schema","schema":{"type":"object"}}}}
                """)
        let format = try OpenAIFormat(isOpenAI: true).body(of: request)["response_format"]?["json_schema"]
        #expect(format?["schema"] != nil && format?["strict"] == nil)
    }

    @Test func blankTextsAreLeftOut() throws {
        let request = try Self.request(
            anthropic: #"""
                {"max_tokens":9,"system":[{"type":"text","text":""},{"type":"text","text":" "}],
                "messages":[{"role":"user","content":[{"type":"text","text":"\n"},{"type":"text","text":"go"}]},
                {"role":"assistant","content":[{"type":"text","text":" "}]},{"role":"user","content":"on"},
                {"role":"assistant","content":"so \n"}]}
                """#)
        let anthropic = try AnthropicFormat().body(of: request)
        #expect(anthropic["system"] == nil)
        #expect(
            anthropic["messages"]
                == (try Self.value(
                    """
                    [{"role":"user","content":[{"type":"text","text":"go"},{"type":"text","text":"on"}]},
                    {"role":"assistant","content":[{"type":"text","text":"so"}]}]
                    """)))
        let bedrock = try BedrockFormat().body(of: request)
        #expect(bedrock["system"] == nil && !bedrock.text.text.contains(#""text":" ""#))
    }

    @Test func aUserMessageWithoutAnyTextIsRefusedByName() throws {
        let request = try Self.request(openAI: #"{"messages":[{"role":"user","content":" "}]}"#)
        let error = #expect(throws: UntranslatableRequest.self) { try AnthropicFormat().body(of: request) }
        #expect(error?.reason == "a user message must hold more than white space for this model's provider")
    }

    @Test func anEmptyAnswerCanBeSentBack() throws {
        for content in [#""content":"""#, #""content":null"#, #""content":"","tool_calls":[]"#] {
            let request = try Self.request(
                openAI: """
                    {"messages":[{"role":"user","content":"go"},{"role":"assistant",\(content)},
                    {"role":"user","content":"on"}]}
                    """)
            for translator in Self.translators { _ = try translator.body(of: request) }
        }
    }

    @Test func anEmptyListOfStopsIsNone() throws {
        let request = try Self.request(openAI: #"{"messages":[{"role":"user","content":"go"}],"stop":[]}"#)
        for translator in Self.translators {
            let body = try translator.body(of: request)
            #expect(!body.text.text.contains("stop"))
        }
    }

    @Test func anInstructionBetweenTurnsReachesEveryProvider() throws {
        let request = try Self.request(
            anthropic: """
                {"max_tokens":9,"system":"first","messages":[{"role":"user","content":"go"},
                {"role":"system","content":[{"type":"text","text":"second"}]},{"role":"user","content":"on"}]}
                """)
        for translator in Self.translators {
            let text = try translator.body(of: request).text.text
            #expect(text.contains("first") && text.contains("second"))
        }
        #expect(try AnthropicFormat().body(of: request)["system"] == .string("first\n\nsecond"))
        guard case .array(let messages)? = try OpenAIFormat(isOpenAI: true).body(of: request)["messages"] else {
            return
        }
        #expect(messages.compactMap { $0["role"]?.string } == ["system", "user", "system", "user"])
    }

    @Test func aFailedResultIsMarkedWhereTheFormatKnowsIt() throws {
        let request = try Self.request(
            anthropic: """
                {"max_tokens":9,"tools":[{"name":"f","input_schema":{"type":"object"}}],"messages":[
                {"role":"user","content":"go"},{"role":"assistant","content":[
                {"type":"tool_use","id":"a","name":"f","input":{}}]},{"role":"user","content":[
                {"type":"tool_result","tool_use_id":"a","is_error":true,"content":"no"}]}]}
                """)
        #expect(try BedrockFormat().body(of: request).text.text.contains(#""status":"error""#))
        #expect(try AnthropicFormat().body(of: request).text.text.contains(#""is_error":true"#))
        // Other formats have no member for it, and the model reads it.
        let texts: [any ChatTranslator] = [OpenAIFormat(isOpenAI: true), OpenAIFormat(isOpenAI: false), OllamaFormat()]
        for translator in texts {
            let result = elements(try translator.body(of: request)["messages"]).last
            #expect(result?["role"] == .string("tool") && result?["content"] == .string("Error: no"))
        }
    }

    @Test(arguments: ["toolu_01", "functions.help:0", "ab1DE2f3g", "ab1-E2f3g", ""])
    func anIdReachesMistralAsNineLettersAndDigits(id: String) throws {
        let text = JSONValue.string(id).text.text
        let request = try Self.request(
            anthropic: """
                {"max_tokens":9,"tools":[{"name":"f","input_schema":{"type":"object"}}],"messages":[
                {"role":"user","content":"go"},{"role":"assistant","content":[
                {"type":"tool_use","id":\(text),"name":"f","input":{}}]},{"role":"user","content":[
                {"type":"tool_result","tool_use_id":\(text),"content":"yes"}]}]}
                """)
        guard case .provider(let mistral) = ProviderFormats.format(of: "mistral").chat else { throw BrokenStream("") }
        let messages = elements(try mistral.body(of: request)["messages"])
        let sent = try #require(elements(messages[1]["tool_calls"]).first?["id"]?.string)
        #expect(sent.wholeMatch(of: /[a-zA-Z0-9]{9}/) != nil && messages[2]["tool_call_id"] == .string(sent))
        #expect((sent == id) == (id == "ab1DE2f3g"), "its own ids stay")
    }

    @Test(arguments: ["ada@example.com", "ada", String(repeating: "user_", count: 30)])
    func aUserIsNamedToAnotherFormatByAnOpaqueIdOfBoundedLength(user: String) throws {
        var request = ChatRequest(model: "m")
        request.messages = [.user([.text("go")])]
        request.user = user
        for body in [
            try AnthropicFormat().body(of: request)["metadata"]?["user_id"],
            try OpenAIFormat(isOpenAI: true).body(of: request)["user"],
        ] {
            let id = try #require(body?.string)
            #expect(id.count == 64 && id.allSatisfy(\.isHexDigit))
        }
    }

    @Test func aTokenCountOfZeroDoesNotWipeAnEarlierOne() throws {
        var reader = AnswerUsage(isEvents: true)
        reader.read(
            Array(
                """
                data: {"type":"message_start","message":{"usage":{"input_tokens":700,"output_tokens":1}}}

                data: {"type":"message_delta","delta":{},"usage":{"input_tokens":0,"output_tokens":9}}

                data: {"type":"message_stop"}


                """.utf8))
        reader.end()
        #expect(reader.usage == TokenUsage(prompt: 700, completion: 9))
    }

    @Test func anErrorWithinAStreamKeepsTheTextThatWasWritten() {
        var reader = AnswerUsage(isEvents: true)
        reader.read(
            Array(
                """
                data: {"type":"message_start","message":{"usage":{"input_tokens":7,"output_tokens":1}}}

                data: {"type":"content_block_delta","delta":{"type":"text_delta","text":"12345678"}}

                event: error
                data: {"type":"error","error":{"message":"overloaded"}}


                """.utf8))
        reader.end()
        #expect(reader.usage == nil && reader.textBytes == 8 && reader.failure?.hasSuffix("overloaded") == true)
    }

    @Test(arguments: [#""choices":[{"delta":{"content":""},"finish_reason":"error"}]"#, #""choices":[]"#])
    func anErrorWithinAStreamIsAFailureWhateverChoiceItHas(choices: String) {
        var reader = AnswerUsage(isEvents: true)
        reader.read(Array("data: {\"error\":{\"code\":502,\"message\":\"gone\"},\(choices)}\n\n".utf8))
        #expect(reader.failure == "the provider reports an error: gone")
    }

    @Test func reasoningTokensAreCountedWithinAndBeside() throws {
        let cases: [(String, UInt64)] = [
            (#""completion_tokens":100,"total_tokens":110,"completion_tokens_details":{"reasoning_tokens":60}"#, 100),
            (#""completion_tokens":40,"total_tokens":110,"completion_tokens_details":{"reasoning_tokens":60}"#, 100),
            (#""completion_tokens":40,"completion_tokens_details":{"reasoning_tokens":60}"#, 100),
            (#""completion_tokens":40"#, 40), (#""completion_tokens":198,"total_tokens":623"#, 613),
            (#""completion_tokens":18446744073709551615,"total_tokens":10"#, TokenUsage.tokensMax),
        ]
        for (usage, completion) in cases {
            var reader = AnswerUsage(isEvents: false)
            reader.read(Array(#"{"usage":{"prompt_tokens":10,\#(usage)}}"#.utf8))
            reader.end()
            #expect(reader.usage?.prompt == 10 && reader.usage?.completion == completion)
            #expect(reader.usage?.reasoning == (usage.contains("reasoning") ? 60 : 0))
        }
    }
}
