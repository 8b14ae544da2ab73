import Domain
import EventStreaming
import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// The answer to bytes that are no HTTP request, in the form of every other error.
///
/// The server answers them by itself, before any middleware: with 400, no body, and the end of the connection.
enum MalformedRequestAnswer {
    private static let error = APIError.badRequest(
        "the bytes are no HTTP/1.1 request, or its head is too large: check the request line, Content-Length and the "
            + "header fields (at most 100, of 32 KiB each and 64 KiB together)")

    /// True when the server answers by itself: no request waits for this head.
    static func replaces(_ head: HTTPResponse, unansweredCount: Int) -> Bool {
        unansweredCount == 0 && head.status == .badRequest
    }

    /// Writes the answer's head and body; the server's end follows.
    static func write(_ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
        let body = ByteBuffer(string: JSONText.object { $0.add("error", error.message) }.text)
        let fields: HTTPFields = [
            .contentType: "application/json", .contentLength: String(body.readableBytes), .connection: "close",
            .contentTypeOptions: "nosniff", .errorCode: error.code,
        ]
        let head = HTTPResponse(status: error.status, headerFields: fields)
        context.write(NIOAny(HTTPResponsePart.head(head)), promise: nil)
        context.write(NIOAny(HTTPResponsePart.body(body)), promise: promise)
    }
}
