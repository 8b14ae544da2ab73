import Domain

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
        case 404: "not_found_error"
        case 413: "request_too_large"
        case 429: "rate_limit_error"
        case 400..<500: "invalid_request_error"
        default: "upstream_error"
        }
    }
}
