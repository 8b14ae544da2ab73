import Domain
import Foundation
import Gateways
import TestSupport
import Testing

/// What calls cost is what an independent computation of the same consumption says, to the millionth of a dollar.
@Suite struct CostOracleTests {
    private typealias Used = CostOracle.Consumption
    private typealias Kinds = Set<WritableKeyPath<CostOracle.Consumption, Int>>

    /// Documents for each kind of provider.
    private static let count = 5_000

    private static func check(
        kind: String, models: [String: CostOracle.Rates], kinds: Kinds, prices: ModelPrices? = nil,
        usage: (Used, inout SeededRandom) throws -> TokenUsage?
    ) throws {
        var random = SeededRandom(seed: 22)
        let names = models.keys.sorted()
        for number in 1...count {
            let model = random.pick(names)
            let used = Used.random(kinds, &random)
            let told = try #require(try usage(used, &random), "document \(number)")
            let price = try #require(prices?[model] ?? ModelPriceTable.price(of: model, kind: kind))
            let expected = CostOracle(rates: try #require(models[model])).cost(used)
            try #require(price.cost(of: told).value == expected, "document \(number): \(model), \(used)")
        }
    }

    private static func json(_ document: [String: Any]) throws -> [UInt8] {
        Array(try JSONSerialization.data(withJSONObject: document, options: .sortedKeys))
    }

    private static func value(_ document: [String: Any]) throws -> JSONValue {
        try JSONValue(parsing: try json(document))
    }

    /// The usage that the gateway reads out of an answer that it passes on, in parts of any length.
    private static func passedOn(_ bytes: [UInt8], isEvents: Bool, _ random: inout SeededRandom) -> TokenUsage? {
        var reader = AnswerUsage(isEvents: isEvents)
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = rest.prefix(.random(in: 1...200, using: &random))
            reader.read(part)
            rest = rest.dropFirst(part.count)
        }
        reader.end()
        return reader.usage
    }

    private static func openAI(_ used: Used) -> [String: Any] {
        let prompt = used.text + used.cacheRead + used.cacheWrite + used.audioInput
        let completion = used.written + used.reasoning + used.audioOutput
        return [
            "prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion,
            "prompt_tokens_details": [
                "cached_tokens": used.cacheRead, "cache_write_tokens": used.cacheWrite,
                "audio_tokens": used.audioInput,
            ],
            "completion_tokens_details": [
                "reasoning_tokens": used.reasoning, "audio_tokens": used.audioOutput,
                "rejected_prediction_tokens": 0,
            ],
        ]
    }

    private static let openAIModels = [
        "gpt-4o": CostOracle.Rates(input: "2.5e-06", output: "1e-05", cacheRead: "1.25e-06"),
        "gpt-4.1-nano-2025-04-14": .init(input: "1e-07", output: "4e-07", cacheRead: "2.5e-08"),
        "o3-mini": .init(input: "1.1e-06", output: "4.4e-06", cacheRead: "5.5e-07"),
        "gpt-5-nano": .init(input: "5e-08", output: "4e-07", cacheRead: "5e-09"),
        "gpt-5.6-luna": .init(input: "2e-07", output: "1.2e-06", cacheRead: "2e-08", cacheWrite: "2.5e-07"),
        "gpt-6.1-sol": .init(input: "2e-06", output: "1e-05", cacheRead: "1e-07", cacheWrite: "2.5e-06"),
        "gpt-audio-mini-2025-12-15": .init(
            input: "6e-07", output: "2.4e-06", audioInput: "1e-05", audioOutput: "2e-05"),
        "gpt-4o-audio-preview": .init(
            input: "2.5e-06", output: "1e-05", audioInput: "4e-05", audioOutput: "8e-05"),
    ]

    @Test func openAIsChatCompletions() throws {
        try Self.check(
            kind: "openai", models: Self.openAIModels,
            kinds: [\.cacheRead, \.cacheWrite, \.audioInput, \.reasoning, \.audioOutput]
        ) { used, random in
            let usage = Self.openAI(used)
            guard random.chance(50) else {
                return Self.passedOn(try Self.json(["choices": [], "usage": usage]), isEvents: false, &random)
            }
            let events = [
                Array(#"data: {"choices":[{"delta":{"content":"hi"}}],"usage":null}"#.utf8), Array("\n\ndata: ".utf8),
                try Self.json(["choices": [], "usage": usage]), Array("\n\ndata: [DONE]\n\n".utf8),
            ]
            return Self.passedOn(Array(events.joined()), isEvents: true, &random)
        }
    }

    @Test func openAIsResponses() throws {
        try Self.check(
            kind: "openai", models: Self.openAIModels, kinds: [\.cacheRead, \.cacheWrite, \.reasoning]
        ) { used, random in
            let prompt = used.text + used.cacheRead + used.cacheWrite
            let usage: [String: Any] = [
                "input_tokens": prompt, "output_tokens": used.written + used.reasoning,
                "total_tokens": prompt + used.written + used.reasoning,
                "input_tokens_details": ["cached_tokens": used.cacheRead, "cache_write_tokens": used.cacheWrite],
                "output_tokens_details": ["reasoning_tokens": used.reasoning],
            ]
            return Self.passedOn(try Self.json(["output": [], "usage": usage]), isEvents: false, &random)
        }
    }

    private static let anthropicModels = [
        "claude-haiku-4-5-20251001": CostOracle.Rates(
            input: "1e-06", output: "5e-06", cacheRead: "1e-07", cacheWrite: "1.25e-06", cacheWriteHour: "2e-06"),
        "claude-sonnet-4-5": .init(
            input: "3e-06", output: "1.5e-05", cacheRead: "3e-07", cacheWrite: "3.75e-06", cacheWriteHour: "6e-06"),
        "claude-opus-4-8": .init(
            input: "5e-06", output: "2.5e-05", cacheRead: "5e-07", cacheWrite: "6.25e-06", cacheWriteHour: "1e-05"),
        "claude-fable-5-1": .init(
            input: "1e-05", output: "5e-05", cacheRead: "2.5e-07", cacheWrite: "1.25e-05", cacheWriteHour: "2e-05"),
        "claude-haiku-5-5": .init(
            input: "1e-07", output: "5e-07", cacheRead: "1e-08", cacheWrite: "1.25e-07", cacheWriteHour: "2e-07"),
    ]

    @Test func anthropicsMessages() throws {
        try Self.check(
            kind: "anthropic", models: Self.anthropicModels,
            kinds: [\.cacheRead, \.cacheWrite, \.cacheWriteHour, \.reasoning]
        ) { used, random in
            var begun: [String: Any] = [
                "input_tokens": used.text, "output_tokens": 1, "cache_read_input_tokens": used.cacheRead,
                "cache_creation_input_tokens": used.cacheWrite + used.cacheWriteHour,
            ]
            // Older services do not tell the times: what they write stays for five minutes.
            if used.cacheWriteHour > 0 || random.chance(50) {
                begun["cache_creation"] = [
                    "ephemeral_5m_input_tokens": used.cacheWrite, "ephemeral_1h_input_tokens": used.cacheWriteHour,
                ]
            }
            let output: [String: Any] = [
                "output_tokens": used.written + used.reasoning,
                "output_tokens_details": ["thinking_tokens": used.reasoning],
            ]
            let document = ["type": "message", "usage": begun.merging(output) { $1 }] as [String: Any]
            switch Int.random(in: 0...2, using: &random) {
            case 0: return Self.passedOn(try Self.json(document), isEvents: false, &random)
            case 1:
                let answer = document.merging(["content": [], "stop_reason": "end_turn"]) { $1 }
                return try AnthropicFormat().answer(try Self.value(answer), to: Self.request()).usage
            default:
                let events = [
                    Array("event: message_start\ndata: ".utf8),
                    try Self.json(["type": "message_start", "message": ["usage": begun]]),
                    Array("\n\nevent: message_delta\ndata: ".utf8),
                    try Self.json(["type": "message_delta", "delta": [:] as [String: Any], "usage": output]),
                    Array("\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n".utf8),
                ]
                return Self.passedOn(Array(events.joined()), isEvents: true, &random)
            }
        }
    }

    private static func request() throws -> ChatRequest {
        try ChatRequest(
            openAI: try value(["model": "m", "messages": [["role": "user", "content": "hi"]]]), model: "m")
    }

    @Test func bedrocksConverse() throws {
        let models = [
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0": CostOracle.Rates(
                input: "3e-06", output: "1.5e-05", cacheRead: "3e-07", cacheWrite: "3.75e-06",
                cacheWriteHour: "6e-06"),
            "anthropic.claude-3-haiku-20240307-v1:0": .init(
                input: "2.5e-07", output: "1.25e-06", cacheRead: "3e-08", cacheWrite: "3e-07", cacheWriteHour: "5e-07"),
            "amazon.nova-micro-v1:0": .init(input: "3.5e-08", output: "1.4e-07", cacheRead: "8.75e-09"),
        ]
        try Self.check(
            kind: "bedrock", models: models, kinds: [\.cacheRead, \.cacheWrite, \.cacheWriteHour]
        ) { used, random in
            let writes = used.cacheWrite + used.cacheWriteHour
            var usage: [String: Any] = [
                "inputTokens": used.text, "outputTokens": used.written,
                "totalTokens": used.text + used.cacheRead + writes + used.written,
                "cacheReadInputTokens": used.cacheRead, "cacheWriteInputTokens": writes,
            ]
            if used.cacheWriteHour > 0 || random.chance(50) {
                usage["cacheDetails"] = [
                    ["ttl": "1h", "inputTokens": used.cacheWriteHour] as [String: Any],
                    ["ttl": "5m", "inputTokens": used.cacheWrite],
                ]
            }
            let answer = try Self.value([
                "output": ["message": ["content": [["text": "hi"]]]], "stopReason": "end_turn", "usage": usage,
            ])
            return try BedrockFormat().answer(answer, to: Self.request()).usage
        }
    }

    @Test func ollamasChat() throws {
        let free = ["llama": CostOracle.Rates(input: "0", output: "0")]
        try Self.check(kind: "ollama", models: free, kinds: []) { used, _ in
            let answer = try Self.value([
                "message": ["role": "assistant", "content": "hi"], "done": true, "done_reason": "stop",
                "prompt_eval_count": used.text, "eval_count": used.written,
            ])
            return try OllamaFormat().answer(answer, to: Self.request()).usage
        }
    }

    /// Prices that an operator states, for the kinds that a compatible service may tell.
    private static let stated = """
        {"m": {"input_per_million_usd": 0.27, "output_per_million_usd": 1.1, "cached_input_per_million_usd": 0.07,
        "cache_write_per_million_usd": 0.3, "cache_write_1h_per_million_usd": 0.61, "audio_input_per_million_usd": 3.3,
        "audio_output_per_million_usd": 12.345678, "reasoning_per_million_usd": 2.2}}
        """
    private static let statedRates = [
        "m": CostOracle.Rates(
            input: "2.7e-07", output: "1.1e-06", cacheRead: "7e-08", cacheWrite: "3e-07", cacheWriteHour: "6.1e-07",
            audioInput: "3.3e-06", audioOutput: "1.2345678e-05", reasoning: "2.2e-06")
    ]

    @Test func compatibleServicesAtStatedPrices() throws {
        let prices = ModelPrices(try JSONValue(parsing: Array(Self.stated.utf8)), kind: "vllm")
        try Self.check(
            kind: "vllm", models: Self.statedRates,
            kinds: [\.cacheRead, \.cacheWrite, \.audioInput, \.reasoning, \.audioOutput], prices: prices
        ) { used, random in
            var usage = Self.openAI(used)
            // Some tell reasoning beside the completion, which the total shows.
            if random.chance(50) { usage["completion_tokens"] = used.written + used.audioOutput }
            return Self.passedOn(try Self.json(["choices": [], "usage": usage]), isEvents: false, &random)
        }
    }

    @Test func geminisContent() throws {
        let prices = ModelPrices(try JSONValue(parsing: Array(Self.stated.utf8)), kind: "gemini")
        try Self.check(
            kind: "gemini", models: Self.statedRates,
            kinds: [\.cacheRead, \.audioInput, \.reasoning, \.audioOutput], prices: prices
        ) { used, random in
            let tools = Int.random(in: 0...used.text, using: &random)
            return GeminiUsage.tokens(
                try Self.value([
                    "promptTokenCount": used.text - tools + used.cacheRead + used.audioInput,
                    "toolUsePromptTokenCount": tools, "cachedContentTokenCount": used.cacheRead,
                    "candidatesTokenCount": used.written + used.audioOutput, "thoughtsTokenCount": used.reasoning,
                    "promptTokensDetails": [
                        ["modality": "AUDIO", "tokenCount": used.audioInput] as [String: Any],
                        ["modality": "TEXT", "tokenCount": used.text - tools + used.cacheRead],
                    ],
                    "candidatesTokensDetails": [
                        ["modality": "AUDIO", "tokenCount": used.audioOutput] as [String: Any]
                    ],
                ]))
        }
    }
}
