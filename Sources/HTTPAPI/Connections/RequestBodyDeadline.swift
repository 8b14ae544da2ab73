import NIOCore
import NIOHTTPTypes

/// Closes a connection whose client does not finish the body that it announced.
///
/// Hummingbird's idle timeout sees to clients that send no whole header, and to those that send nothing at all; each
/// byte of a body counts as a sign of life there, so that one byte a second would hold a connection for hours.
///
/// Only the client's time counts: while earlier requests of the connection wait for their answers nothing is read from
/// it, however much it has sent.
final class RequestBodyDeadline: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let timeout: TimeAmount
    private var isReadingBody = false
    private var unansweredCount = 0
    private var closing: Scheduled<Void>?

    init(_ timeout: TimeAmount) { self.timeout = timeout }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head:
            isReadingBody = true
            unansweredCount += 1
        case .body: break
        case .end: isReadingBody = false
        }
        context.fireChannelRead(data)
    }

    /// Most requests are here whole by now, and cost no timer.
    func channelReadComplete(context: ChannelHandlerContext) {
        schedule(context)
        context.fireChannelReadComplete()
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) {
            unansweredCount -= 1
            schedule(context)
        }
        context.write(data, promise: promise)
    }

    func handlerRemoved(context: ChannelHandlerContext) { closing?.cancel() }

    private func schedule(_ context: ChannelHandlerContext) {
        guard isReadingBody, unansweredCount <= 1 else {
            closing?.cancel()
            closing = nil
            return
        }
        guard closing == nil else { return }
        closing = context.eventLoop.assumeIsolated().scheduleTask(in: timeout) { context.close(promise: nil) }
    }
}
