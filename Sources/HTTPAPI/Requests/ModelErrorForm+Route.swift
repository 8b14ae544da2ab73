import Gateways

extension ModelErrorForm {
    /// The form of errors on a route, by its pattern: that of the SDKs that look there.
    init(route: String?) {
        var parts = (route ?? "").split(separator: "/")
        // An agent's own address has its key before the route.
        if parts.first == "as" { parts = Array(parts.dropFirst(2)) }
        let path = "/" + parts.joined(separator: "/")
        let operation = LLMRequest.Operation.allCases.first { path.hasSuffix("/" + $0.rawValue) }
        let isOfSDKs = ["v1", "openai"].contains(parts.first)
        switch operation {
        case .messages, .countTokens: self = .anthropic
        case nil, .chatCompletions, .embeddings, .responses: self = isOfSDKs ? .openAI : .text
        }
    }
}
