import Gateways

extension ModelErrorForm {
    /// The form of errors on a path: that of the SDKs that look there.
    init(path: String) {
        let isOfOperation = { (operation: LLMRequest.Operation) in path.hasSuffix("/" + operation.rawValue) }
        if isOfOperation(.messages) {
            self = .anthropic
        } else if path.hasPrefix("/api") || !LLMRequest.Operation.allCases.contains(where: isOfOperation) {
            self = .text
        } else {
            self = .openAI
        }
    }
}
