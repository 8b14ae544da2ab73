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
    /// The end of the time for the request that is open.
    private var deadline: NIODeadline?
    private var timer: (fires: NIODeadline, task: Scheduled<Void>)?

    package init(_ exchange: Exchange, _ requests: ExpectedRequests) {
        self.exchange = exchange
        self.requests = requests
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch exchange.sequence.received(unwrapInboundIn(data)) {
        case .forward:
            if exchange.sequence.isIdle { deadline = nil }
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
        setDeadline(expected.limits.totalTimeout, context)
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
                fromMethod: head.method.rawValue, headers: head.headers.lazy.map { ($0.name, $0.value) })
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

    /// Limits the time of a request. Requests of one connection share a timer, which looks at the deadline of the one that
    /// is open when it fires: most are over long before, and cost none.
    private func setDeadline(_ timeout: Duration, _ context: ChannelHandlerContext) {
        let end = context.eventLoop.now + TimeAmount(timeout)
        deadline = end
        if let timer, timer.fires <= end { return }
        timer?.task.cancel()
        startTimer(end, context)
    }

    private func startTimer(_ end: NIODeadline, _ context: ChannelHandlerContext) {
        let task = context.eventLoop.assumeIsolated().scheduleTask(deadline: end) { self.timerFired(context) }
        timer = (end, task)
    }

    private func timerFired(_ context: ChannelHandlerContext) {
        timer = nil
        guard let deadline, !exchange.sequence.isIdle, !exchange.sequence.isFailed else { return }
        guard deadline <= context.eventLoop.now else { return startTimer(deadline, context) }
        exchange.sequence.fail()
        fail(.timedOut("the end of the response"), context)
    }

    private func stopTimer() {
        deadline = nil
        timer?.task.cancel()
        timer = nil
    }

    private func ignore(_ promise: EventLoopPromise<Void>?) { promise?.fail(ChannelError.ioOnClosedChannel) }
}
