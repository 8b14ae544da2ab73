import Gateways
import NIOCore
import NIOHTTP1
import NIOHTTPTypes

/// Keeps a connection in its listener's `Connections`, and closes one that sends no request, or no whole one.
///
/// The timeout of a head is for the first one alone: later ones have the idle timeout. All that follows a connection's
/// requests is in this one handler, because each handler costs every message.
final class ConnectionAdmission: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let connections: Connections
    private let headTimeout: TimeAmount
    private let client = CallerPresence()
    private var unansweredCount = 0
    private var closing: Scheduled<Void>?
    private var bodyDeadline: RequestBodyDeadline
    /// The end of what can be read; its response and those before it are still sent.
    private var parserError: HTTPParserError?

    init(_ connections: Connections, headTimeout: TimeAmount, bodyTimeout: TimeAmount) {
        self.connections = connections
        self.headTimeout = headTimeout
        bodyDeadline = RequestBodyDeadline(bodyTimeout)
    }

    func channelActive(context: ChannelHandlerContext) {
        // On the connection's own event loop the answer is there when this returns.
        ConnectionPeer.of(context.channel).assumeIsolated().whenComplete { result in
            let peer = (try? result.get()) ?? .unknown
            guard self.connections.add(context.channel, of: self.client, from: peer) else {
                return context.close(promise: nil)
            }
            self.closeLater(context)
            context.fireChannelActive()
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        if case .head = part {
            unansweredCount += 1
            closing?.cancel()
            closing = nil
        }
        bodyDeadline.received(part)
        context.fireChannelRead(data)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        bodyDeadline.schedule(context, unansweredCount: unansweredCount)
        context.fireChannelReadComplete()
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head) where MalformedRequestAnswer.replaces(head, unansweredCount: unansweredCount):
            MalformedRequestAnswer.write(context, parserError, promise)
        case .end where unansweredCount > 0: writeEnd(context, data, promise)
        case .head, .body, .end: context.write(data, promise: promise)
        }
    }

    private func writeEnd(_ context: ChannelHandlerContext, _ data: NIOAny, _ promise: EventLoopPromise<Void>?) {
        unansweredCount -= 1
        if parserError != nil, unansweredCount == 0 { closeLater(context) }
        bodyDeadline.schedule(context, unansweredCount: unansweredCount)
        let written = promise ?? context.eventLoop.makePromise()
        // A connection that is closed before all is written loses the rest.
        written.futureResult.assumeIsolated().whenSuccess {
            if self.unansweredCount == 0 { self.connections.answered(context.channel) }
        }
        context.write(data, promise: written)
    }

    /// Closes the connection after the timeout of a head, unless one arrives before.
    private func closeLater(_ context: ChannelHandlerContext) {
        closing?.cancel()
        closing = context.eventLoop.assumeIsolated().scheduleTask(in: headTimeout) { context.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let found = error as? HTTPParserError {
            parserError = found
            if unansweredCount == 0 { closeLater(context) }
        }
        context.fireErrorCaught(error)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent { client.leave() }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        closing?.cancel()
        client.leave()
        connections.remove(context.channel)
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        closing?.cancel()
        bodyDeadline.cancel()
    }
}
