import Domain
import Gateways
import Testing

/// Google Gemini's `generateContent`, as its documentation has it.
@Suite struct GeminiFormatTests {
    private static func value(_ text: String) throws -> JSONValue { try JSONValue(parsing: Array(text.utf8)) }

    private static func body(openAI text: String, model: String = "gemini-3.8-flash") throws -> JSONValue {
        try GeminiFormat().body(of: ChatRequest(openAI: value(text), model: model))
    }

    private static func answer(_ text: String) throws -> ChatAnswer {
        try GeminiFormat().answer(value(text), to: ChatRequest(model: "m"))
    }

    private static func answer(parts: String, reason: String = "STOP", more: String = "") throws -> ChatAnswer {
        try answer(
            #"{"candidates":[{"content":{"role":"model","parts":[\#(parts)]},"finishReason":"\#(reason)"}]\#(more)}"#)
    }

    private static let ask = #""messages":[{"role":"user","content":"go"}]"#
    private static let tools =
        #""tools":[{"type":"function","function":{"name":"pay","parameters":{"type":"object","properties":{}}}}]"#

    @Test func aRequestHasAllThatTunesTheAnswer() throws {
        let body = try Self.body(
            openAI: """
                {"messages":[{"role":"system","content":"be brief"},{"role":"user","content":[
                {"type":"text","text":"see"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}},
                {"type":"image_url","image_url":{"url":"https://h.test/a.JPG?x=1"}}]}],
                "max_tokens":9,"temperature":0.5,"top_p":0.9,"seed":7,"stop":["END"],
                "response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"}}}}
                """)
        let expected = try Self.value(
            """
            {"contents":[{"role":"user","parts":[{"text":"see"},
            {"inlineData":{"mimeType":"image/png","data":"AAAA"}},
            {"fileData":{"mimeType":"image/jpeg","fileUri":"https://h.test/a.JPG?x=1"}}]}],
            "systemInstruction":{"parts":[{"text":"be brief"}]},
            "generationConfig":{"maxOutputTokens":9,"temperature":0.5,"topP":0.9,"seed":7,"stopSequences":["END"],
            "responseMimeType":"application/json","responseJsonSchema":{"type":"object"}}}
            """)
        #expect(body == expected)
    }

    @Test(arguments: [
        (#""auto""#, nil), (#""none""#, #"{"mode":"NONE"}"#), (#""required""#, #"{"mode":"ANY"}"#),
        (
            #"{"type":"function","function":{"name":"pay"}}"#, #"{"mode":"ANY","allowedFunctionNames":["pay"]}"#
        ),
    ])
    func theChoiceOfAToolIsAMode(choice: String, config: String?) throws {
        let body = try Self.body(openAI: #"{\#(Self.ask),\#(Self.tools),"tool_choice":\#(choice)}"#)
        #expect(try body["toolConfig"]?["functionCallingConfig"] == config.map(Self.value))
    }

    @Test func aStreamIsAskedForAsServerSentEvents() {
        var request = ChatRequest(model: "models/gemini-3.8-flash")
        #expect(GeminiFormat().path(of: request) == "models/gemini-3.8-flash:generateContent")
        request.isStreamed = true
        #expect(GeminiFormat().path(of: request) == "models/gemini-3.8-flash:streamGenerateContent?alt=sse")
    }

    @Test(arguments: [
        (#"{}"#, "https://generativelanguage.googleapis.com/v1beta/models"),
        (
            #"{"endpoint":"https://generativelanguage.googleapis.com/v1beta/openai/"}"#,
            "https://generativelanguage.googleapis.com/v1beta/models"
        ),
        (#"{"endpoint":"https://proxy.test/gemini"}"#, "https://proxy.test/gemini/v1beta/models"),
        (#"{"endpoint":"https://proxy.test/gemini/v1"}"#, "https://proxy.test/gemini/v1/models"),
    ])
    func anEndpointIsAHostOrABase(spec: String, url: String) throws {
        for kind in ["gemini", "Google"] {
            let document = try Self.value(#"{"spec":\#(spec)}"#)
            guard case .object(var members)? = document["spec"] else { throw BrokenStream("no spec") }
            members.append(.init(name: "provider", value: .string(kind)))
            let provider = ModelProvider(
                name: "g", document: .object([.init(name: "spec", value: .object(members))]))
            #expect(try "\(provider.url("models"))" == url)
            #expect(try "\(provider.url("m:s?alt=sse"))".hasSuffix("/m:s?alt=sse"))
        }
    }

    @Test func thoughtsAreNoText() throws {
        let answer = try Self.answer(
            parts: #"{"text":"hm","thought":true},{"text":"he"},{"text":"llo"},{"text":"","thoughtSignature":"AA=="}"#)
        #expect(answer == ChatAnswer(text: "hello", finish: .stop))
    }

    @Test(arguments: [
        ("STOP", FinishReason.stop), ("MAX_TOKENS", .length), ("SAFETY", .contentFilter),
        ("RECITATION", .contentFilter),
        ("PROHIBITED_CONTENT", .contentFilter), ("SPII", .contentFilter), ("BLOCKLIST", .contentFilter),
        ("SOMETHING_NEW", .stop), ("OTHER", .stop),
    ])
    func aReasonToStopIsKept(reason: String, finish: FinishReason) throws {
        #expect(try Self.answer(parts: #"{"text":"so"}"#, reason: reason).finish == finish)
        let call = #"{"functionCall":{"name":"pay"}}"#
        #expect(
            try Self.answer(parts: call, reason: reason).finish == (finish == .stop ? .toolCalls : finish))
    }

    @Test(arguments: ["MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "OTHER"])
    func anAnswerOfNoUseIsAnErrorWithItsTokens(reason: String) throws {
        let error = try #require(throws: UnreadableAnswer.self) {
            try Self.answer(
                """
                {"candidates":[{"content":{},"finishReason":"\(reason)","finishMessage":"bad call"}],
                "usageMetadata":{"promptTokenCount":7,"thoughtsTokenCount":3}}
                """)
        }
        #expect(error.reason.contains(reason) && error.reason.contains("bad call"))
        #expect(error.usage == TokenUsage(prompt: 7, completion: 3, details: .init(reasoning: 3)))
    }

    @Test func aPromptThatIsBlockedIsAFilteredAnswer() throws {
        let answer = try Self.answer(
            #"{"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":7}}"#)
        #expect(answer == ChatAnswer(finish: .contentFilter, usage: TokenUsage(prompt: 7, completion: 0)))
    }

    @Test func aDocumentWithoutAnAnswerIsAnError() {
        for document in ["{}", #"{"candidates":[]}"#, #"{"candidates":[{"content":{"parts":[]}}]}"#] {
            #expect(throws: UnreadableAnswer.self, "\(document)") { try Self.answer(document) }
        }
    }

    @Test func tokensOfThoughtsAndOfToolsAreCounted() throws {
        let answer = try Self.answer(
            parts: "",
            more: """
                ,"usageMetadata":{"promptTokenCount":700,"cachedContentTokenCount":300,"candidatesTokenCount":20,
                "thoughtsTokenCount":50,"toolUsePromptTokenCount":5,"totalTokenCount":775}
                """)
        #expect(answer.usage == TokenUsage(prompt: 705, completion: 70, cached: 300, details: .init(reasoning: 50)))
    }

    /// Every client sends the ids of calls back as they came; the signature of a call comes back in its own.
    @Test(arguments: ["AY89a1+8/Q==", "c2lnbmVk", "not base64 at all: é", String(repeating: "aB3/", count: 4_000)])
    func aSignatureComesBackWithItsCall(signature: String) throws {
        let text = JSONValue.string(signature).text.text
        let answer = try Self.answer(
            parts: """
                {"functionCall":{"id":"fc|1","name":"pay","args":{"x":1}},"thoughtSignature":\(text)},
                {"functionCall":{"name":"pay","args":{"x":2}}}
                """)
        for dialect in ["openAI", "anthropic"] {
            let identity = CompletionIdentity(id: "c", model: "m", created: 1)
            let ids: [String]
            let request: ChatRequest
            if dialect == "openAI" {
                let message = try #require(elements(answer.openAI(identity)["choices"]).first?["message"])
                ids = elements(message["tool_calls"]).compactMap { $0["id"]?.string }
                let results = ids.map {
                    object(["role": .string("tool"), "tool_call_id": .string($0), "content": .string("ok")])
                }
                request = try ChatRequest(
                    openAI: object(["messages": .array([message] + results)]), model: "gemini-3.8-flash")
            } else {
                let content = answer.anthropic(identity)["content"] ?? .null
                ids = elements(content).compactMap { $0["id"]?.string }
                let results = ids.map { object(["type": .string("tool_result"), "tool_use_id": .string($0)]) }
                let turns = [
                    object(["role": .string("assistant"), "content": content]),
                    object(["role": .string("user"), "content": .array(results)]),
                ]
                request = try ChatRequest(
                    anthropic: object(["max_tokens": .number("9"), "messages": .array(turns)]),
                    model: "gemini-3.8-flash")
            }
            #expect(
                ids.joined().utf8.allSatisfy {
                    $0 == 0x2d || $0 == 0x5f || Character(Unicode.Scalar($0)).isLetter
                        || Character(Unicode.Scalar($0)).isNumber
                })
            let contents = elements(try GeminiFormat().body(of: request)["contents"])
            let calls = elements(contents.first?["parts"]), results = elements(contents.last?["parts"])
            #expect(calls.map { $0["thoughtSignature"]?.string } == [signature, nil])
            let sentIDs = calls.map { $0["functionCall"]?["id"]?.string }
            #expect(results.map { $0["functionResponse"]?["id"]?.string } == sentIDs && Set(sentIDs).count == 2)
        }
    }

    @Test func aCallOfAnotherModelHasTheDocumentedSignatureForCurrentModels() throws {
        let history = """
            {"messages":[{"role":"user","content":"go"},{"role":"assistant","content":null,"tool_calls":[
            {"id":"a","type":"function","function":{"name":"pay","arguments":"{}"}},
            {"id":"b","type":"function","function":{"name":"pay","arguments":"{}"}}]},
            {"role":"tool","tool_call_id":"a","content":"1"},{"role":"tool","tool_call_id":"b","content":"2"}]}
            """
        for (model, signature) in [
            ("gemini-3.8-flash", "skip_thought_signature_validator"),
            ("gemini-flash-latest", "skip_thought_signature_validator"),
            ("gemini-2.5-pro", nil), ("models/gemini-2.5-flash", nil),
        ] {
            let contents = elements(try Self.body(openAI: history, model: model)["contents"])
            #expect(contents.map { $0["role"]?.string } == ["user", "model", "user"])
            #expect(elements(contents[1]["parts"]).map { $0["thoughtSignature"]?.string } == [signature, nil])
            #expect(elements(contents[2]["parts"]).count == 2, "results of parallel calls are one turn")
        }
    }

    @Test func aResultWithoutItsCallIsRefused() {
        #expect(throws: UntranslatableRequest.self) {
            try Self.body(openAI: #"{"messages":[{"role":"tool","tool_call_id":"a","content":"1"}]}"#)
        }
    }

    @Test func jsonBesideToolsIsAnInstructionForModelsThatRefuseIt() throws {
        let request = #"{\#(Self.ask),\#(Self.tools),"response_format":{"type":"json_object"}}"#
        let current = try Self.body(openAI: request)
        #expect(current["generationConfig"]?["responseMimeType"] == .string("application/json"))
        let older = try Self.body(openAI: request, model: "gemini-2.5-pro")
        #expect(older["generationConfig"] == nil)
        #expect(older["systemInstruction"]?.text.text.contains("JSON schema") == true)
    }

    @Test func referencesInSchemasAreReplaced() throws {
        func sent(_ schema: String) throws -> JSONValue? {
            let request = """
                {\(Self.ask),"tools":[{"type":"function","function":{"name":"pay","parameters":\(schema)}}]}
                """
            let tools = elements(try Self.body(openAI: request)["tools"])
            return elements(tools.first?["functionDeclarations"]).first?["parametersJsonSchema"]
        }
        #expect(
            try sent(
                """
                {"$schema":"http://json-schema.org/draft-07/schema#","type":"object","properties":{
                "to":{"$ref":"#/$defs/Account","description":"d"},"via":{"type":"array","items":{"$ref":"#/definitions/Bank"}}},
                "$defs":{"Account":{"type":"object","properties":{"bank":{"$ref":"#/definitions/Bank"}}}},
                "definitions":{"Bank":{"type":"string","description":"b"}}}
                """)
                == Self.value(
                    """
                    {"type":"object","properties":{"to":{"description":"d","type":"object","properties":{
                    "bank":{"type":"string","description":"b"}}},"via":{"type":"array","items":
                    {"type":"string","description":"b"}}}}
                    """))
        let circular = """
            {"type":"object","properties":{"next":{"$ref":"#/$defs/Node"}},
            "$defs":{"Node":{"type":"object","properties":{"next":{"$ref":"#/$defs/Node"}}}}}
            """
        #expect(try sent(circular)?["$defs"] != nil, "a reference that stays keeps its definition")
    }

    /// Nested references multiply; a schema that would grow beyond bounds is sent as it came.
    @Test func aSchemaThatWouldExplodeIsSentAsItCame() throws {
        let definitions = (0..<24).map { level in
            let next = ##"{"$ref":"#/$defs/D\##(level + 1)"}"##
            return #""D\#(level)":{"type":"object","properties":{"a":\#(next),"b":\#(next)}}"#
        }
        let schema = """
            {"type":"object","properties":{"a":{"$ref":"#/$defs/D0"}},
            "$defs":{\(definitions.joined(separator: ",")),"D24":{"type":"string"}}}
            """
        let body = try Self.body(
            openAI: #"{\#(Self.ask),"tools":[{"type":"function","function":{"name":"f","parameters":\#(schema)}}]}"#)
        let declarations = elements(elements(body["tools"]).first?["functionDeclarations"])
        #expect(declarations.first?["parametersJsonSchema"] == (try Self.value(schema)))
    }

    @Test(arguments: [
        #"{"error":{"code":503,"message":"overloaded","status":"UNAVAILABLE"}}"#,
        #"[{"error":{"code":503,"message":"overloaded","status":"UNAVAILABLE"}}]"#,
    ])
    func anErrorWithinAStreamEndsIt(event: String) throws {
        var (stream, deltas) = (GeminiFormat().stream(), [ChatDelta]())
        let error = try #require(throws: BrokenStream.self) {
            try stream.read(Array("data: \(event)\r\n\r\n".utf8), into: &deltas)
        }
        #expect(error.reason == "overloaded" && !stream.isComplete)
    }

    @Test func aWrongKeyIsRecognizedByItsReason() throws {
        let wrong = try Self.value(
            #"{"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT","details":[{"reason":"API_KEY_INVALID"}]}}"#
        )
        #expect(GeminiFormat().refusal(wrong).isOfCredentials)
        let busy = try Self.value(
            #"[{"error":{"code":429,"message":"quota","status":"RESOURCE_EXHAUSTED","details":[{"retryDelay":"34.07s"}]}}]"#
        )
        #expect(
            GeminiFormat().refusal(busy).retryAfter == .seconds(35) && !GeminiFormat().refusal(busy).isOfCredentials)
    }

    @Test func textsAreEmbeddedInBatches() throws {
        let embeddings = try #require(GeminiFormat().embeddings)
        let texts = EmbeddedTexts(
            model: "gemini-embedding-001", texts: (0..<150).map(String.init), dimensions: .number("3"))
        let requests = try embeddings.requests(texts)
        #expect(requests.map(\.count) == [100, 50])
        #expect(requests.map(\.path) == Array(repeating: "models/gemini-embedding-001:batchEmbedContents", count: 2))
        #expect(
            elements(requests[1].body["requests"]).first
                == (try Self.value(
                    #"{"model":"models/gemini-embedding-001","content":{"parts":[{"text":"100"}]},"outputDimensionality":3}"#
                )))
        let single = EmbeddingRequest(path: "", body: .null, count: 1)
        let reply = EmbeddingReply(try Self.value(#"{"embeddings":[{"values":[1,2]}]}"#))
        let read = try embeddings.embeddings(reply, to: single)
        #expect(read.vectors.map(\.text.text) == ["[1,2]"] && read.tokens == nil, "no count is told")
        #expect(throws: UnreadableAnswer.self) {
            try embeddings.embeddings(EmbeddingReply(.object([])), to: single)
        }
    }
}
