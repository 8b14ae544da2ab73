import NIOCore
import NIOHTTPTypes

/// Closes a connection whose client does not finish the body that it announced.
///
/// Hummingbird's idle timeout sees to clients that send no whole header, and to those that send nothing at all; each
/// byte of a body counts as a sign of life there, so that one byte a second would hold a connection for hours.
final class RequestBodyDeadline: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart

    private let timeout: TimeAmount
    private var isReadingBody = false
    private var closing: Scheduled<Void>?

    init(_ timeout: TimeAmount) { self.timeout = timeout }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head: isReadingBody = true
        case .body: break
        case .end:
            isReadingBody = false
            closing?.cancel()
            closing = nil
        }
        context.fireChannelRead(data)
    }

    /// Most requests are here whole by now, and cost no timer.
    func channelReadComplete(context: ChannelHandlerContext) {
        if isReadingBody, closing == nil {
            closing = context.eventLoop.assumeIsolated().scheduleTask(in: timeout) { context.close(promise: nil) }
        }
        context.fireChannelReadComplete()
    }

    func handlerRemoved(context: ChannelHandlerContext) { closing?.cancel() }
}
