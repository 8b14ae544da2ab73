/// The formats that providers speak.
package enum ModelFormat: String, Hashable, Sendable, CaseIterable {
    case openAI = "openai"
    case anthropic, bedrock, ollama
    /// A model of our own.
    case playground

    /// Every provider is taken to speak OpenAI's format, unless it is one of those that do not.
    init(kind: String) { self = Self(rawValue: kind) ?? .openAI }

    /// Where the provider is when its document does not say; `nil` when it has to.
    func endpoint(region: String?) -> String? {
        switch self {
        case .openAI, .playground: nil
        case .anthropic: "https://api.anthropic.com"
        case .bedrock: region.map { "https://bedrock-runtime.\($0).amazonaws.com" }
        case .ollama: "http://localhost:11434"
        }
    }

    /// What an endpoint without a path has.
    var basePath: String {
        switch self {
        case .openAI, .anthropic, .playground: "/v1"
        case .bedrock, .ollama: ""
        }
    }

    /// True when services put the format's path below a path of their own, as Anthropic's SDK expects it:
    /// `…/anthropic` is asked at `…/anthropic/v1/messages`.
    var isVersionedBelowPath: Bool { self == .anthropic }

    /// What an endpoint may end with, when it was copied whole.
    var operationPaths: [String] {
        switch self {
        case .openAI, .playground: ["/chat/completions", "/embeddings", "/responses"]
        case .anthropic: ["/messages"]
        case .bedrock: []
        case .ollama: ["/api/chat", "/api/embed"]
        }
    }

    /// Asked to see whether the provider answers; `nil` when nothing there costs nothing.
    var probePath: String? {
        switch self {
        case .openAI, .anthropic: "models"
        case .ollama: "api/tags"
        case .bedrock, .playground: nil
        }
    }
}
