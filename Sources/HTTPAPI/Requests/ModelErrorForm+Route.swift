import Gateways

extension ModelErrorForm {
    /// The form of errors on a route, by its pattern: that of the SDKs that look there.
    init(route: String?) {
        let route = route ?? ""
        let operation = LLMRequest.Operation.allCases.first {
            route.hasSuffix("/" + $0.rawValue) || route.hasSuffix("/v1/" + $0.rawValue + "/{id}")
        }
        switch operation {
        case nil: self = .text
        case .messages: self = .anthropic
        case .chatCompletions, .embeddings, .responses: self = route.hasPrefix("/api") ? .text : .openAI
        }
    }
}
