package import NIOCore

/// The state that the two handlers of a connection share; used on its event loop alone.
package final class Exchange {
    var sequence = ResponseSequence()
    /// The request line whose bytes have to come next.
    var requestLine: String?

    package init() {}
}

/// Stands between the connection and the client library's encoder and decoder, and sees bytes.
///
/// It sends a request only when its first bytes are those of the expected request line, and it counts what arrives.
package final class ByteGuard: ChannelDuplexHandler {
    package typealias InboundIn = ByteBuffer
    package typealias InboundOut = ByteBuffer
    package typealias OutboundIn = IOData
    package typealias OutboundOut = IOData

    private let exchange: Exchange

    package init(_ exchange: Exchange) { self.exchange = exchange }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !exchange.sequence.isFailed else { return }
        guard !exchange.sequence.isIdle else {
            // Nothing was asked: whatever it is, it belongs to no response.
            exchange.sequence.fail()
            return context.close(promise: nil)
        }
        exchange.sequence.willDecode(unwrapInboundIn(data).readableBytes)
        context.fireChannelRead(data)
        if let error = exchange.sequence.didDecode() {
            context.fireErrorCaught(error)
            context.close(promise: nil)
        }
    }

    package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard !exchange.sequence.isFailed else { return ignore(promise) }
        guard let line = exchange.requestLine else { return context.write(data, promise: promise) }
        exchange.requestLine = nil
        guard case .byteBuffer(let buffer) = unwrapOutboundIn(data),
            buffer.readableBytesView.starts(with: line.utf8)
        else {
            exchange.sequence.fail()
            ignore(promise)
            return context.failLater(.altered("the request line to be sent is not the request's"))
        }
        context.write(data, promise: promise)
    }

    private func ignore(_ promise: EventLoopPromise<Void>?) { promise?.fail(ChannelError.ioOnClosedChannel) }
}

extension ChannelHandlerContext {
    /// Fails the call once the client library has returned from the write that it is in.
    func failLater(_ error: OutboundError) {
        eventLoop.assumeIsolated().execute {
            self.fireErrorCaught(error)
            self.close(promise: nil)
        }
    }
}
