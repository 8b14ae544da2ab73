import Domain
import EventStreaming
import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Gives the answer to bytes that are no HTTP request the form of every other error.
///
/// The server answers them by itself, before any middleware: with 400, no body, and the end of the connection.
final class MalformedRequestAnswer: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private static let error = APIError.badRequest(
        "the bytes are no HTTP/1.1 request, or its head is too large: check the request line, Content-Length and the "
            + "header fields (at most 100, of 32 KiB each and 64 KiB together)")

    private var unansweredCount = 0

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .head = unwrapInboundIn(data) { unansweredCount += 1 }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head) where unansweredCount == 0 && head.status == .badRequest:
            writeError(context, promise)
        case .end:
            unansweredCount = max(0, unansweredCount - 1)
            context.write(data, promise: promise)
        case .head, .body: context.write(data, promise: promise)
        }
    }

    private func writeError(_ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
        let body = ByteBuffer(string: JSONText.object { $0.add("error", Self.error.message) }.text)
        let fields: HTTPFields = [
            .contentType: "application/json", .contentLength: String(body.readableBytes), .connection: "close",
            .contentTypeOptions: "nosniff", .errorCode: Self.error.code,
        ]
        let head = HTTPResponse(status: Self.error.status, headerFields: fields)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(body)), promise: promise)
    }
}
