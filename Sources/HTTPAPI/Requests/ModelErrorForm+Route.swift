import Gateways

extension ModelErrorForm {
    /// The form of errors on a route, by its pattern: that of the SDKs that look there.
    init(route: String?) {
        let route = route ?? ""
        let operation = LLMRequest.Operation.allCases.first { route.hasSuffix("/" + $0.rawValue) }
        switch operation {
        case nil: self = .text
        case .messages: self = .anthropic
        case .chatCompletions, .embeddings: self = route.hasPrefix("/api") ? .text : .openAI
        }
    }
}
