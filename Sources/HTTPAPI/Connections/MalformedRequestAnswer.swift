import Domain
import EventStreaming
import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypes

/// The answer to bytes that are no HTTP request, in the form of every other error.
///
/// The server answers them by itself, before any middleware: with 400, no body, and the end of the connection.
enum MalformedRequestAnswer {
    private static let unreadable = APIError.badRequest(
        "the bytes are no HTTP/1.1 request: check the request line, Content-Length, and that each header field is on one "
            + "line, without a blank before its colon")
    private static let tooLarge = APIError(
        .requestHeaderFieldsTooLarge, .fieldsTooLarge,
        "the request's head is too large: it may have 100 header fields, the target and each field 32 KiB, and all "
            + "together 64 KiB")

    /// The refusal for what the decoder found; `nil` stands for anything.
    private static func error(_ cause: HTTPParserError?) -> APIError {
        switch cause {
        case .headerOverflow: tooLarge
        case .invalidMethod: HTTPMethods.notAllowed(nil)
        default: unreadable
        }
    }

    /// True when the server answers by itself: no request waits for this head.
    static func replaces(_ head: HTTPResponse, unansweredCount: Int) -> Bool {
        unansweredCount == 0 && head.status == .badRequest
    }

    /// Writes the answer's head and body; the server's end follows.
    static func write(
        _ context: ChannelHandlerContext, _ cause: HTTPParserError?, _ promise: EventLoopPromise<Void>?
    ) {
        let error = error(cause)
        let body = ByteBuffer(string: JSONText.object { $0.add("error", error.message) }.text)
        var fields = error.headers
        fields[.contentType] = "application/json"
        fields[.contentLength] = String(body.readableBytes)
        fields[.connection] = "close"
        fields[.contentTypeOptions] = "nosniff"
        fields[.errorCode] = error.code
        let head = HTTPResponse(status: error.status, headerFields: fields)
        context.write(NIOAny(HTTPResponsePart.head(head)), promise: nil)
        context.write(NIOAny(HTTPResponsePart.body(body)), promise: promise)
    }
}
