import Domain
import Gateways
import Governance
import Testing

struct ModelProviderTests {
    private static func provider(_ spec: String, name: String = "p") throws -> ModelProvider {
        ModelProvider(name: name, document: try JSONValue(parsing: Array(#"{"spec":\#(spec)}"#.utf8)))
    }

    @Test(arguments: [
        ("https://h.test", "https://h.test/v1/chat/completions"),
        ("https://h.test/", "https://h.test/v1/chat/completions"),
        ("https://h.test/v1", "https://h.test/v1/chat/completions"),
        ("https://h.test/openai/v1//", "https://h.test/openai/v1/chat/completions"),
        ("https://h.test/v1/chat/completions", "https://h.test/v1/chat/completions"),
        ("https://h.test/v1/embeddings", "https://h.test/v1/chat/completions"),
        ("http://h.test:8080/d?api-version=1", "http://h.test:8080/d/chat/completions?api-version=1"),
    ])
    func asksBelowTheEndpoint(endpoint: String, url: String) throws {
        let provider = try Self.provider(#"{"provider":"x","endpoint":"\#(endpoint)"}"#)
        #expect(try "\(provider.url("chat/completions"))" == url)
    }

    @Test func openAIHasAnEndpointOfItsOwn() throws {
        let provider = try Self.provider(#"{"provider":"OpenAI","endpoint":""}"#)
        #expect(try "\(provider.url("embeddings"))" == "https://api.openai.com/v1/embeddings")
    }

    @Test(arguments: [
        (#"{"provider":"anthropic"}"#, "messages", "https://api.anthropic.com/v1/messages"),
        (#"{"provider":"anthropic","endpoint":"http://h.test/v1/messages"}"#, "messages", "http://h.test/v1/messages"),
        (#"{"provider":"ollama"}"#, "api/chat", "http://localhost:11434/api/chat"),
        (
            #"{"provider":"bedrock","region":"eu-west-1"}"#, "model/a.b-3%3A0/converse",
            "https://bedrock-runtime.eu-west-1.amazonaws.com/model/a.b-3%3A0/converse"
        ),
        (
            #"{"provider":"bedrock","endpoint":"http://h.test","auth":{"type":"AWSSignature"}}"#, "model/m/converse",
            "http://h.test/model/m/converse"
        ),
    ])
    func asksWhereTheFormatIsSpoken(spec: String, path: String, url: String) throws {
        #expect(try "\(Self.provider(spec).url(path))" == url)
    }

    @Test func anotherProviderNeedsAnEndpoint() throws {
        let provider = try Self.provider(#"{"provider":"vllm"}"#)
        #expect(throws: UnusableEndpoint.self) { try provider.url("chat/completions") }
        let broken = try Self.provider(#"{"provider":"openai","endpoint":"ftp://h.test"}"#)
        #expect(throws: UnusableEndpoint.self) { try broken.url("chat/completions") }
    }

    @Test func choosesWhoeverListsTheModelByName() throws {
        let providers = try [("c", "openai"), ("b", "openai"), ("a", "anthropic")].map { name, kind in
            try Self.provider(#"{"provider":"\#(kind)","models":["m"]}"#, name: name)
        }
        #expect(ModelProvider.choice(for: "m", named: nil, of: providers)?.name == "a")
        #expect(ModelProvider.choice(for: "m", named: "a", of: providers)?.name == "a")
        #expect(ModelProvider.choice(for: "m", named: "d", of: providers) == nil)
        #expect(ModelProvider.choice(for: "M", named: nil, of: providers) == nil)
        #expect(providers.map { $0.format is AnthropicFormat } == [false, false, true])
    }

    @Test func aDocumentOfAnyShapeIsRead() throws {
        let provider = try Self.provider(#"{"provider":7,"models":[1,"m"],"endpoint":[],"topology":"internal"}"#)
        #expect(provider.models == ["m"] && provider.kind == "" && provider.isInternal)
    }
}
