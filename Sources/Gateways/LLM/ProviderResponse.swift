import AsyncHTTPClient
import NIOHTTP1

/// The response of a model provider, with the provider's credential redacted.
struct ProviderResponse: Sendable {
    let status: HTTPResponseStatus
    let headers: HTTPHeaders
    let redactor: Redactor
    private let body: HTTPClientResponse.Body

    init(_ response: HTTPClientResponse, _ redactor: Redactor) {
        status = response.status
        headers = HTTPHeaders(redactor.redact(headers: response.headers.map { ($0.name, $0.value) }))
        self.redactor = redactor
        body = response.body
    }

    /// The body as it arrives; it can be read once. A body that is encoded passes as it is.
    func chunks(silenceMax: Duration) -> AnswerChunks {
        AnswerChunks(body, silenceMax: silenceMax, redactor: headers.hasContentEncoding ? .none : redactor)
    }
}
