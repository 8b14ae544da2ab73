package import NIOCore
package import NIOHTTP1

/// Stands between the client library and its encoder and decoder, and sees messages.
///
/// It puts the target of the expected request into the head, compares the rest of it, and lets through only responses
/// that the client library can take.
package final class MessageGuard: ChannelDuplexHandler {
    package typealias InboundIn = HTTPClientResponsePart
    package typealias InboundOut = HTTPClientResponsePart
    package typealias OutboundIn = HTTPClientRequestPart
    package typealias OutboundOut = HTTPClientRequestPart

    private let exchange: Exchange
    private let requests: ExpectedRequests
    private var deadline: Scheduled<Void>?

    package init(_ exchange: Exchange, _ requests: ExpectedRequests) {
        self.exchange = exchange
        self.requests = requests
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch exchange.sequence.received(unwrapInboundIn(data)) {
        case .forward:
            if exchange.sequence.isIdle { stopTimer() }
            context.fireChannelRead(data)
        case .ignore: break
        case .fail(let error): fail(error, context)
        }
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case is HTTPParserError, is NIOHTTPDecoderError:
            exchange.sequence.fail()
            fail(.malformed("\(error)"), context)
        default:
            if error is OutboundError { stopTimer() }
            context.fireErrorCaught(error)
        }
    }

    package func channelInactive(context: ChannelHandlerContext) {
        stopTimer()
        context.fireChannelInactive()
    }

    package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard !exchange.sequence.isFailed else { return ignore(promise) }
        guard case .head(var head) = unwrapOutboundIn(data) else { return context.write(data, promise: promise) }
        guard let expected = prepare(&head, context) else { return ignore(promise) }
        exchange.requestLine = expected.requestLine
        startTimer(expected.limits.totalTimeout, context)
        context.write(wrapOutboundOut(.head(head)), promise: promise)
    }

    /// Gives a head the target of its request.
    ///
    /// - Returns: `nil` when the head is another than the request's; the call fails then.
    private func prepare(_ head: inout HTTPRequestHead, _ context: ChannelHandlerContext) -> ExpectedRequest? {
        let numbers = head.headers[ExpectedRequest.headerName]
        head.headers.remove(name: ExpectedRequest.headerName)
        var difference: String?
        if numbers.count == 1, let number = UInt64(numbers[0]), let expected = requests.take(number) {
            difference = expected.difference(
                fromMethod: head.method.rawValue, headers: head.headers.map { ($0.name, $0.value) })
            if difference == nil, exchange.sequence.begin(bodyBytesMax: expected.limits.bodyBytesMax) {
                head.uri = expected.target
                return expected
            }
        }
        exchange.sequence.fail()
        context.failLater(.altered(difference ?? "the request to be sent is none that was made"))
        return nil
    }

    private func fail(_ error: OutboundError, _ context: ChannelHandlerContext) {
        stopTimer()
        context.fireErrorCaught(error)
        context.close(promise: nil)
    }

    private func startTimer(_ timeout: Duration, _ context: ChannelHandlerContext) {
        deadline = context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(timeout)) {
            guard !self.exchange.sequence.isIdle, !self.exchange.sequence.isFailed else { return }
            self.exchange.sequence.fail()
            self.fail(.timedOut("the end of the response"), context)
        }
    }

    private func stopTimer() {
        deadline?.cancel()
        deadline = nil
    }

    private func ignore(_ promise: EventLoopPromise<Void>?) { promise?.fail(ChannelError.ioOnClosedChannel) }
}
