import Outbound

/// The response of a model provider, with the provider's credential redacted.
struct ProviderResponse: Sendable {
    let status: Int
    let headers: [(name: String, value: String)]
    let redactor: Redactor
    private let response: OutboundResponse

    init(_ response: OutboundResponse, _ redactor: Redactor) {
        status = response.status
        headers = redactor.redact(headers: response.headers)
        self.redactor = redactor
        self.response = response
    }

    /// The first header of that name, in any case.
    func header(_ name: String) -> String? { headers.first { $0.name.lowercased() == name.lowercased() }?.value }

    /// The media type in lower case, without parameters.
    var mediaType: String? { response.mediaType }

    /// The body as it arrives; it can be read once.
    func chunks(silenceMax: Duration) -> AnswerChunks {
        AnswerChunks(response, silenceMax: silenceMax, redactor: redactor)
    }

    /// The reason why secrets cannot be redacted in it.
    var unsearchable: String? { redactor.unsearchable(response) }
}
