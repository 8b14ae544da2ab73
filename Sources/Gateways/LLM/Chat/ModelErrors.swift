package import Domain

/// Errors of models in OpenAI's format, which its SDKs read.
enum ModelErrors {
    static func document(_ message: String, type: String, code: String? = nil) -> JSONValue {
        .members([
            "error": .members([
                "message": .string(message), "type": .string(type), "param": .null,
                "code": code.map { .string($0) } ?? .null,
            ])
        ])
    }

    static func type(ofStatus status: Int) -> String {
        switch status {
        case 401: "authentication_error"
        case 402: "insufficient_quota"
        case 403: "permission_error"
        case 404: "not_found_error"
        case 413: "request_too_large"
        case 429: "rate_limit_error"
        case 400..<500: "invalid_request_error"
        default: "upstream_error"
        }
    }
}

/// The form in which a caller reads errors: that of the path it asked.
package enum ModelErrorForm: Hashable, Sendable {
    /// `{"error": "text"}`, as everywhere under `/api`.
    case text
    /// `{"error": {"message", "type", "code"}}`, for OpenAI's SDKs.
    case openAI
    /// `{"type": "error", "error": {"type", "message"}}`, for Anthropic's SDKs.
    case anthropic

    /// An error of Sluice's own.
    package func document(_ message: String, code: String, status: Int) -> JSONValue {
        switch self {
        case .text: .members(["error": .string(message), "code": .string(code), "message": .string(message)])
        case .openAI: ModelErrors.document(message, type: ModelErrors.type(ofStatus: status), code: code)
        case .anthropic: AnthropicMessage.error(message, status: status)
        }
    }

    /// The answer with its error in this form, and with the other members that the error has.
    ///
    /// OpenAI's SDKs read what any service of that format writes; only errors of Sluice's own are put in another form.
    func applied(to answer: EgressAnswer) -> EgressAnswer {
        guard answer.status >= 400, case .whole(let bytes) = answer.body else { return answer }
        var code = answer.headers.first { $0.name == "sluice-code" }?.value
        let document = try? JSONValue(parsing: bytes, .surrogates)
        switch self {
        case .text:
            guard let error = document?["error"], case .object = error else { return answer }
            code = code ?? error["code"]?.string ?? ModelErrors.type(ofStatus: answer.status)
        case .openAI: guard code != nil else { return answer }
        case .anthropic: guard document?["type"]?.string != "error" else { return answer }
        }
        let message = ProviderWords.message(in: bytes) ?? "the provider answered with status \(answer.status)"
        var members: [JSONValue.Member] = []
        if case .object(let error) = self.document(message, code: code ?? "", status: answer.status) { members = error }
        if case .object(let others)? = document {
            let names = Set(members.map(\.name)).union(["error", "message", "type"])
            members += others.filter { !names.contains($0.name) }
        }
        let headers = answer.headers.filter { !$0.name.lowercased().hasPrefix("content-") }
        return EgressAnswer(
            status: answer.status, headers: headers + [("content-type", "application/json")],
            body: .whole(Array(JSONValue.object(members).text.text.utf8)))
    }
}
