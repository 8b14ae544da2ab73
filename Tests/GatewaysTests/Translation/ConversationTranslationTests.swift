import Domain
import Gateways
import TestSupport
import Testing

/// A conversation means the same to the provider as to its caller, for every dialect and every format.
@Suite struct ConversationTranslationTests {
    private enum Dialect: CaseIterable {
        case chatCompletions, messages, responses

        func request(
            _ conversation: Conversation, _ change: (JSONValue) -> JSONValue = { $0 }
        ) throws -> ChatRequest {
            switch self {
            case .chatCompletions: try ChatRequest(openAI: change(conversation.openAI), model: "m")
            case .messages: try ChatRequest(anthropic: change(conversation.anthropic), model: "m")
            case .responses: try ChatRequest(responses: change(conversation.responses), model: "m")
            }
        }
    }

    private static func body(_ conversation: Conversation, _ dialect: Dialect, _ kind: String) throws -> JSONValue {
        guard case .provider(let translator) = ProviderFormats.format(of: kind).chat else {
            throw BrokenStream("\(kind) has no translator")
        }
        return try translator.body(of: AdaptedRequest(dialect.request(conversation), for: translator).request)
    }

    /// OpenAI's callers cannot say that a result is an error.
    private static func conversation(
        _ dialect: Dialect, _ random: inout SeededRandom, urls: Bool = true, images: Bool = true
    ) -> Conversation {
        Conversation(
            Conversation.Features(
                hasImageURLs: urls, hasImagesInResults: images, hasErrors: dialect == .messages), &random)
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func meansTheSameToOpenAI(seed: UInt64) throws {
        for (kind, dialect) in ["openai", "vllm", "mistral"].flatMap({ kind in Dialect.allCases.map { (kind, $0) } }) {
            var random = SeededRandom(seed: seed)
            let conversation = Self.conversation(dialect, &random, images: false)
            let body = try Self.body(conversation, dialect, kind)
            #expect(try Meaning(openAI: body) == conversation.meaning())
            #expect(
                elements(body["tools"]).map { $0["function"]?["parameters"] } == conversation.tools.map(\.parameters))
        }
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func meansTheSameToAnthropic(seed: UInt64) throws {
        for dialect in Dialect.allCases {
            var random = SeededRandom(seed: seed)
            let conversation = Self.conversation(dialect, &random)
            let body = try Self.body(conversation, dialect, "anthropic")
            #expect(Meaning(anthropic: body) == conversation.meaning().withLeadingSystem)
            #expect(elements(body["tools"]).map { $0["input_schema"] } == conversation.tools.map(\.parameters))
            let roles = elements(body["messages"]).map { $0["role"]?.string }
            #expect(zip(roles, roles.dropFirst()).allSatisfy { $0 != $1 }, "turns alternate there")
        }
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func meansTheSameToBedrock(seed: UInt64) throws {
        for dialect in Dialect.allCases {
            var random = SeededRandom(seed: seed)
            let conversation = Self.conversation(dialect, &random, urls: false)
            let body = try Self.body(conversation, dialect, "bedrock")
            #expect(Meaning(bedrock: body) == conversation.meaning().withLeadingSystem)
            let tools = elements(body["toolConfig"]?["tools"])
            #expect(tools.map { $0["toolSpec"]?["inputSchema"]?["json"] } == conversation.tools.map(\.parameters))
        }
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func meansTheSameToOllama(seed: UInt64) throws {
        for dialect in Dialect.allCases {
            var random = SeededRandom(seed: seed)
            let conversation = Self.conversation(dialect, &random, urls: false)
            let body = try Self.body(conversation, dialect, "ollama")
            let meaning = conversation.meaning(namesTools: true, separatesImages: true)
            #expect(Meaning(ollama: body) == meaning)
            #expect(
                elements(body["tools"]).map { $0["function"]?["parameters"] } == conversation.tools.map(\.parameters))
        }
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func meansTheSameToGemini(seed: UInt64) throws {
        for dialect in Dialect.allCases {
            var random = SeededRandom(seed: seed)
            let conversation = Self.conversation(dialect, &random)
            let body = try Self.body(conversation, dialect, "gemini")
            #expect(Meaning(gemini: body) == conversation.meaning().withLeadingSystem)
            let tools = elements(elements(body["tools"]).first?["functionDeclarations"])
            #expect(tools.map { $0["parametersJsonSchema"] } == conversation.tools.map(\.parameters))
            for content in elements(body["contents"]) {
                let calls = elements(content["parts"]).filter { $0["functionCall"] != nil }
                #expect(calls.isEmpty || calls[0]["thoughtSignature"] != nil, "current models refuse calls without")
            }
        }
    }

    /// Calls of one id, in one turn or in several, stay apart: a turn's n-th result for it is that of the n-th call.
    @Test(arguments: 0..<100 as Range<UInt64>)
    func callsThatShareAnIdMeanTheSameToEveryProvider(seed: UInt64) throws {
        for dialect in Dialect.allCases {
            var random = SeededRandom(seed: seed)
            let features = Conversation.Features(
                hasImageURLs: false, hasImagesInResults: false, hasErrors: dialect == .messages,
                hasResultsInAnyOrder: false)
            let conversation = Conversation(features, &random)
            var shared: [String: String] = [:]
            for call in conversation.calls { shared[call.id] = random.pick(["call_1", "functions.help:0"]) }
            for kind in ["openai", "mistral", "anthropic", "bedrock", "gemini"] {
                guard case .provider(let translator) = ProviderFormats.format(of: kind).chat else { continue }
                let asked = try dialect.request(conversation) { Self.replacing(shared, in: $0) }
                let body = try translator.body(of: AdaptedRequest(asked, for: translator).request)
                let expected = conversation.meaning()
                switch kind {
                case "anthropic": #expect(Meaning(anthropic: body) == expected.withLeadingSystem)
                case "bedrock": #expect(Meaning(bedrock: body) == expected.withLeadingSystem)
                case "gemini": #expect(Meaning(gemini: body) == expected.withLeadingSystem)
                default: #expect(try Meaning(openAI: body) == expected)
                }
            }
        }
    }

    private static func replacing(_ ids: [String: String], in value: JSONValue) -> JSONValue {
        switch value {
        case .string(let text): .string(ids[text] ?? text)
        case .array(let values): .array(values.map { replacing(ids, in: $0) })
        case .object(let members):
            .object(members.map { .init(name: $0.name, value: replacing(ids, in: $0.value)) })
        case .number, .bool, .null: value
        }
    }

    /// Formats without words for a part refuse it by name, and never leave it out.
    @Test func refusesWhatAFormatCannotSay() throws {
        var random = SeededRandom(seed: 1)
        var conversation = Self.conversation(.messages, &random)
        conversation.turns = [.user([.text("see"), .image(.url("https://images.test/a.png"))])]
        for kind in ["bedrock", "ollama"] {
            #expect(throws: UntranslatableRequest.self) { try Self.body(conversation, .messages, kind) }
        }
    }

    /// Tool messages of OpenAI's format hold text alone.
    @Test func showsImagesOfResultsToOpenAIInAMessageOfTheUser() throws {
        var random = SeededRandom(seed: 1)
        var conversation = Self.conversation(.messages, &random)
        let calls = ["a", "b"].map { ChatToolCall(id: $0, name: "tool_0", arguments: .object([])) }
        conversation.turns = [
            .user([.text("go")]), .assistant("", calls),
            .results([
                .init(call: calls[0], parts: [Conversation.image], isError: false),
                .init(call: calls[1], parts: [.text("noon")], isError: false),
            ]),
            .user([.text("so?")]),
        ]
        let messages = elements(try Self.body(conversation, .messages, "openai")["messages"]).suffix(3)
        #expect(messages.map { $0["role"]?.string } == ["tool", "tool", "user"])
        let shown = elements(messages.last?["content"])
        #expect(shown.map { $0["type"]?.string } == ["text", "image_url", "text"])
        #expect(shown[0]["text"]?.string == "The result of the call a:" && shown[2]["text"]?.string == "so?")
    }
}
