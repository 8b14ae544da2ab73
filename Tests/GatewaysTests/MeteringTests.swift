import Domain
import Gateways
import Testing

@Suite struct AnswerUsageTests {
    private static let chunk = #"data: {"choices":[{"delta":{"content":"ab\"c"}}],"usage":null}"# + "\n\n"
    private static let last =
        #"data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":4,"#
        + #""prompt_tokens_details":{"cached_tokens":3}}}"# + "\r\n\r\n"

    private static func read(_ text: String, isEvents: Bool, by count: Int = .max) -> AnswerUsage {
        var reader = AnswerUsage(isEvents: isEvents)
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            reader.read(rest.prefix(count))
            rest = rest.dropFirst(count)
        }
        reader.end()
        return reader
    }

    @Test(arguments: [1, 2, 7, 64, 100_000])
    func aStreamsUsageIsFoundHoweverItIsCutIntoParts(count: Int) {
        let reader = Self.read(Self.chunk + Self.chunk + Self.last + "data: [DONE]\n\n", isEvents: true, by: count)
        #expect(reader.usage == TokenUsage(prompt: 9, completion: 4, cached: 3))
        #expect(reader.isDone && reader.textBytes == 10)
    }

    @Test func aStreamWithoutUsageHasTheLengthOfItsTexts() {
        let reader = Self.read(
            Self.chunk + ": a comment\nevent: x\n"
                + #"data: {"choices":[{"delta":{"tool_calls":[{"function":{"name":"f","arguments": "{}"}}]}}]}"#,
            isEvents: true)
        #expect(reader.usage == nil && !reader.isDone)
        #expect(reader.textBytes == 7)
    }

    @Test func aLineWithoutEndTakesNoMemoryAndIsPassedOver() {
        let long = "data: {\"x\":\"" + String(repeating: "y", count: 400_000) + "\"}\n"
        #expect(Self.read(long + Self.last, isEvents: true, by: 10_000).usage?.prompt == 9)
    }

    @Test(arguments: [10, 100_000])
    func aDocumentsUsageIsFoundAtItsEndHoweverLongItIs(count: Int) {
        let vector = String(repeating: "0.5,", count: count) + "1"
        let usage = #""usage":{"prompt_tokens":5,"total_tokens":5,"prompt_tokens_details":{"cached_tokens":0}}"#
        let reader = Self.read("{\"data\":[\(vector)],\(usage),\"a\":{}}", isEvents: false, by: 9_999)
        #expect(reader.usage == TokenUsage(prompt: 5, completion: 0))
    }

    @Test(arguments: [
        "", "{", "[]", #"{"usage":null}"#, #"{"usage":{}}"#, #"{"usage":{"prompt_tokens":"7"}}"#, #"{"usage":[1]}"#,
        #"{"usage":{"prompt_tokens":-1}}"#, "\"\\", #"{"usage":{"prompt_tokens":1e3}}"#,
    ])
    func whatTellsNothingIsNoUsage(text: String) {
        #expect(Self.read(text, isEvents: false).usage == nil)
        #expect(Self.read("data: " + text, isEvents: true).usage == nil)
    }

    @Test(
        arguments: [
            (
                #"{"messages":[{"content":"12345"},{"content":[{"type":"text","text":"1234"},{"type":"image_url","image_url":{}}]}]}"#,
                1_603
            ),
            (#"{"messages":[{"content":null,"tool_calls":[{"function":{"arguments":"{\"a\":1}"}}]}]}"#, 2),
            (#"{"input":"1234"}"#, 1), (#"{"input":["12","34"]}"#, 1), (#"{"input":[1,2,3]}"#, 3),
            (#"{"messages":[],"tools":[{"name":"f"}]}"#, 4),
            (#"{"messages":[{"content":[{"type":"tool_result","content":[{"type":"text","text":"1234"}]}]}]}"#, 1),
            (#"{"input":[[1,2],[3]]}"#, 3), (#"{"prompt":"1"}"#, 1), ("{}", 0), ("no json", 0),
        ] as [(String, UInt64)])
    func aPromptIsReckonedFromItsTextsToolsAndImages(body: String, tokens: UInt64) {
        let request = (try? JSONValue(parsing: Array(body.utf8), .surrogates)) ?? .null
        #expect(UsageEstimate.promptTokens(of: request) == tokens)
    }
}

@Suite struct ModelPriceTests {
    @Test(
        arguments: [
            ("gpt-4o", "openai", 2_500_000), ("gpt-4o-2024-08-06", "openai", 2_500_000),
            ("gpt-4o-latest", "openai", 2_500_000),
            ("claude-3-5-haiku-20241022", "anthropic", 800_000), ("claude-sonnet-4-5", "anthropic", 3_000_000),
            ("us.anthropic.claude-3-haiku-20240307-v1:0", "bedrock", 250_000),
            ("amazon.nova-lite-v1:0", "bedrock", 60_000),
            ("anything", "ollama", 0), ("gpt-4o", "vllm", nil), ("gpt-4o-turbo-new", "openai", nil),
            ("gpt", "openai", nil),
            ("", "openai", nil), ("-", "openai", nil), ("2024-08-06", "openai", nil), ("v1:0", "bedrock", nil),
        ] as [(String, String, UInt64?)])
    func aKnownModelHasAPriceAlsoUnderADatedName(model: String, kind: String, input: UInt64?) {
        #expect(ModelPriceTable.price(of: model, kind: kind)?.input.value == input)
    }

    @Test func anOperatorsPricesAreReadExactly() throws {
        let document = try JSONValue(
            parsing: Array(#"{"m":{"input_per_million_usd":0.1,"output_per_million_usd":1e1},"x":7}"#.utf8))
        let prices = ModelPrices(document, kind: "openai")
        #expect(prices["m"] == ModelPrice(input: MicroUSD(100_000), output: MicroUSD(10_000_000)))
        #expect(prices["x"] == nil && prices["none"] == nil)
        #expect(throws: InvalidPrices.self) { try ModelPrices.check(document) }
        #expect(throws: Never.self) { try ModelPrices.check(nil) }
    }

    @Test func eachKindOfTokenHasAPriceOfItsOwn() throws {
        let document = try JSONValue(
            parsing: Array(
                #"""
                {"m":{"input_per_million_usd":1,"output_per_million_usd":2,"cached_input_per_million_usd":0.5,
                "cache_write_per_million_usd":3,"cache_write_1h_per_million_usd":4,"audio_input_per_million_usd":5,
                "audio_output_per_million_usd":6,"reasoning_per_million_usd":7}}
                """#.utf8))
        #expect(throws: Never.self) { try ModelPrices.check(document) }
        func dollars(_ count: UInt64) -> MicroUSD { MicroUSD(count * 1_000_000) }
        #expect(
            ModelPrices(document, kind: "vllm")["m"]
                == ModelPrice(
                    input: dollars(1), output: dollars(2), cachedInput: MicroUSD(500_000),
                    details: ModelPrice.Details(
                        cacheWrite: dollars(3), cacheWriteHour: dollars(4), audioInput: dollars(5),
                        audioOutput: dollars(6), reasoning: dollars(7))))
    }

    @Test func anUnknownPriceIsNamedInItsRefusal() throws {
        let document = try JSONValue(parsing: Array(#"{"m":{"input_per_million_usd":1,"thinking":1}}"#.utf8))
        let refusal = #expect(throws: InvalidPrices.self) { try ModelPrices.check(document) }
        #expect(refusal?.message.contains("must not have thinking; known are input_per_million_usd, ") == true)
        #expect(refusal?.message.contains("cache_write_1h_per_million_usd") == true)
    }

    @Test(
        arguments: [
            ("m", "anthropic", 1_250_000, 2_000_000), ("anthropic/claude-opus-9", "vllm", 1_250_000, 2_000_000),
            ("claude-3-haiku", "bedrock", 1_200_000, 2_000_000), ("gpt-6-sol", "openai", 1_250_000, 1_250_000),
            ("gpt-4o", "openai", 1_000_000, 1_000_000), ("m", "vllm", 1_000_000, 1_000_000),
        ] as [(String, String, UInt64, UInt64)])
    func writingToACacheCostsWhatItsProviderBillsUnlessTheOperatorSaysOtherwise(
        model: String, kind: String, short: UInt64, hour: UInt64
    ) throws {
        let document = try JSONValue(parsing: Array(#"{"\#(model)":{"input_per_million_usd":1}}"#.utf8))
        let price = try #require(ModelPrices(document, kind: kind)[model])
        #expect((price.cacheWrite.value, price.cacheWriteHour.value) == (short, hour))
        let stated = try JSONValue(
            parsing: Array(#"{"\#(model)":{"input_per_million_usd":1,"cache_write_per_million_usd":0}}"#.utf8))
        #expect(ModelPrices(stated, kind: kind)[model]?.cacheWrite == .zero)
    }
}
