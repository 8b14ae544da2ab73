import NIOCore
import NIOHTTP1

/// Keeps the rules of HTTP/1 that need the wire: HTTP/1.0, `Expect: 100-continue`, HEAD, and responses to clients that
/// are still sending.
///
/// A client may read its response only after it has sent all of its body. So a body whose response is sent early, such as
/// 413, is read and discarded, up to a limit, and the connection is closed after that: closing it with unread bytes would
/// reset it, and the response would be lost.
final class ExchangeHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private var exchanges: Exchanges
    private var isOutputClosed = false
    /// The end of the connection's last response, once it is known to be the last.
    private var lastWrite: EventLoopFuture<Void>?

    init(bytesDiscardedMax: Int) { exchanges = Exchanges(bytesDiscardedMax: bytesDiscardedMax) }

    /// Sends the interim response that a request's client waits for before it sends the body, if it does.
    static func proceed(_ channel: any Channel) {
        channel.eventLoop.execute {
            let operations = channel.pipeline.syncOperations
            guard let handler = try? operations.handler(type: ExchangeHandler.self),
                let context = try? operations.context(handlerType: ExchangeHandler.self),
                handler.exchanges.takeContinue()
            else { return }
            let head = HTTPResponseHead(version: .http1_1, status: .continue)
            context.writeAndFlush(handler.wrapOutboundOut(.head(head)), promise: nil)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(var head):
            exchanges.received(&head)
            context.fireChannelRead(wrapInboundOut(.head(head)))
        case .body(let bytes):
            switch exchanges.receivedBody(bytes.readableBytes) {
            case .forward: context.fireChannelRead(data)
            case .discard: break
            case .close: context.close(promise: nil)
            }
        case .end:
            exchanges.receivedEnd()
            context.fireChannelRead(data)
            closeWhenDone(context)
        }
    }

    /// What is behind this handler asks for nothing more of a request that is answered.
    func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        if exchanges.isDiscarding { context.read() }
    }

    /// The decoder reads nothing after bytes that are no HTTP. Their response, too, has to reach a client that is still sending.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if case ByteToMessageDecoderError.dataReceivedInErrorState(_, let bytes) = error {
            if exchanges.receivedUnreadable(bytes.readableBytes) == .close { context.close(promise: nil) }
            return
        }
        if error is HTTPParserError { _ = exchanges.receivedUnreadable(0) }
        context.fireErrorCaught(error)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var head):
            exchanges.send(&head)
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body:
            guard exchanges.responseBody == .send else { return promise?.succeed() ?? () }
            context.write(data, promise: promise)
        case .end:
            let written = promise ?? context.eventLoop.makePromise()
            if exchanges.responseBody == .send {
                context.write(data, promise: written)
            } else {
                written.succeed()
            }
            if exchanges.sentEnd() {
                context.flush()
                lastWrite = written.futureResult
                closeOutputAfterLastWrite(context, nil)
            }
            if exchanges.isDiscarding { context.read() }
        }
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode == .output else { return context.close(mode: mode, promise: promise) }
        closeOutputAfterLastWrite(context, promise)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        let isInputClosed = if case ChannelEvent.inputClosed? = event as? ChannelEvent { true } else { false }
        context.fireUserInboundEventTriggered(event)
        if isInputClosed, isOutputClosed { context.close(promise: nil) }
    }

    /// Waits for the socket to take what is left: where the client has closed its side already, closing the other one
    /// drops it.
    private func closeOutputAfterLastWrite(_ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
        guard let lastWrite else { return closeOutput(context, promise) }
        lastWrite.assumeIsolated().whenComplete { _ in self.closeOutput(context, promise) }
    }

    /// Ends the sending side, so that the client sees the end of its response.
    private func closeOutput(_ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
        guard !isOutputClosed else { return promise?.succeed() ?? () }
        isOutputClosed = true
        let closed = promise ?? context.eventLoop.makePromise()
        context.flush()
        context.close(mode: .output, promise: closed)
        closed.futureResult.assumeIsolated().whenComplete { _ in
            self.closeWhenDone(context)
            if self.exchanges.isDiscarding { context.read() }
        }
    }

    /// Closes a connection that has sent its last response and received the whole of its request.
    private func closeWhenDone(_ context: ChannelHandlerContext) {
        if isOutputClosed, !exchanges.isDiscarding { context.close(promise: nil) }
    }
}

/// Puts an `ExchangeHandler` between the decoder of HTTP/1 and the server, which adds handlers only behind its own.
final class ExchangeHandlerInstaller: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = NIOAny

    private let bytesDiscardedMax: Int

    init(bytesDiscardedMax: Int) { self.bytesDiscardedMax = bytesDiscardedMax }

    func handlerAdded(context: ChannelHandlerContext) {
        let operations = context.pipeline.syncOperations
        do {
            let decoder = try operations.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            try operations.addHandler(
                ExchangeHandler(bytesDiscardedMax: bytesDiscardedMax), position: .after(decoder))
        } catch {
            // Without it a connection would break the protocol.
            context.close(promise: nil)
        }
    }
}
