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
        #expect(try "\(provider.url(of: .chatCompletions))" == url)
    }

    @Test func openAIHasAnEndpointOfItsOwn() throws {
        let provider = try Self.provider(#"{"provider":"OpenAI","endpoint":""}"#)
        #expect(try "\(provider.url(of: .embeddings))" == "https://api.openai.com/v1/embeddings")
    }

    @Test func anotherProviderNeedsAnEndpoint() throws {
        let provider = try Self.provider(#"{"provider":"vllm"}"#)
        #expect(throws: UnusableEndpoint.self) { try provider.url(of: .chatCompletions) }
        let broken = try Self.provider(#"{"provider":"openai","endpoint":"ftp://h.test"}"#)
        #expect(throws: UnusableEndpoint.self) { try broken.url(of: .chatCompletions) }
    }

    @Test func choosesWhoeverListsTheModelByName() throws {
        let providers = try [("c", "openai"), ("b", "openai"), ("a", "anthropic")].map { name, kind in
            try Self.provider(#"{"provider":"\#(kind)","models":["m"]}"#, name: name)
        }
        #expect(ModelProvider.choice(for: "m", named: nil, of: providers)?.name == "b")
        #expect(ModelProvider.choice(for: "m", named: "a", of: providers)?.name == "a")
        #expect(ModelProvider.choice(for: "m", named: "d", of: providers) == nil)
        #expect(ModelProvider.choice(for: "M", named: nil, of: providers) == nil)
        #expect(ModelProvider.choice(for: "m", named: nil, of: Array(providers.suffix(1)))?.speaksOpenAI == false)
    }

    @Test func aDocumentOfAnyShapeIsRead() throws {
        let provider = try Self.provider(#"{"provider":7,"models":[1,"m"],"endpoint":[],"topology":"internal"}"#)
        #expect(provider.models == ["m"] && provider.kind == "" && provider.isInternal)
    }
}
