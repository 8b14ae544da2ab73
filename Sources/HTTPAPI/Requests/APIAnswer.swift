import Domain
import EventStreaming
import Gateways
import HTTPTypes
import Hummingbird
import NIOCore

/// What a route answers.
struct APIAnswer: Sendable {
    var status: HTTPResponse.Status
    var body: JSONText
    var headers = HTTPFields()
    /// What to keep for a repeated `Idempotency-Key` instead of the body, when that shows a secret.
    var recordedBody: JSONText?

    init(_ status: HTTPResponse.Status = .ok, _ body: JSONText, position: Position? = nil) {
        self.status = status
        self.body = body
        if let position { headers[.position] = position.description }
    }

    var response: Response {
        var headers = headers
        headers[.contentType] = "application/json"
        return Response(
            status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(string: body.text)))
    }
}

extension APIError {
    /// The error as the clients of the route read it.
    func response(on route: String?) -> Response {
        let form = ModelErrorForm(route: route)
        var answer = APIAnswer(
            status, form == .text ? text : form.document(message, code: code, status: status.code).text)
        answer.headers = headers
        answer.headers[.errorCode] = code
        return answer.response
    }

    private var text: JSONText {
        .object { json in
            json.add("error", message)
            // Agents act on it, and a runtime may show them the body alone.
            if code == RejectionErrorCode.attemptSuperseded.rawValue { json.add("code", code.uppercased()) }
        }
    }
}
