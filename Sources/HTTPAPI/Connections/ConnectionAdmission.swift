import Gateways
import NIOCore
import NIOHTTPTypes

/// Keeps a connection in its listener's `Connections`, and closes one that sends no request.
///
/// The timeout is for the first request head alone: later ones have the idle timeout.
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

    init(_ connections: Connections, headTimeout: TimeAmount) {
        self.connections = connections
        self.headTimeout = headTimeout
    }

    func channelActive(context: ChannelHandlerContext) {
        // On the connection's own event loop the answer is there when this returns.
        ConnectionPeer.of(context.channel).assumeIsolated().whenComplete { result in
            let peer = (try? result.get()) ?? .unknown
            guard self.connections.add(context.channel, of: self.client, from: peer) else {
                return context.close(promise: nil)
            }
            self.closing = context.eventLoop.assumeIsolated().scheduleTask(in: self.headTimeout) {
                context.close(promise: nil)
            }
            context.fireChannelActive()
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .head = unwrapInboundIn(data) {
            unansweredCount += 1
            closing?.cancel()
            closing = nil
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        // The answer to what is no request has no head before it.
        guard case .end = unwrapOutboundIn(data), unansweredCount > 0 else {
            return context.write(data, promise: promise)
        }
        unansweredCount -= 1
        let written = promise ?? context.eventLoop.makePromise()
        // A connection that is closed before all is written loses the rest.
        written.futureResult.assumeIsolated().whenSuccess {
            if self.unansweredCount == 0 { self.connections.answered(context.channel) }
        }
        context.write(data, promise: written)
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

    func handlerRemoved(context: ChannelHandlerContext) { closing?.cancel() }
}
