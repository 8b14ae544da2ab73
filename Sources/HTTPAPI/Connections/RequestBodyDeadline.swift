import NIOCore
import NIOHTTPTypes

/// Closes a connection whose client does not finish the body that it announced.
///
/// Hummingbird's idle timeout sees to clients that send no whole header, and to those that send nothing at all; each
/// byte of a body counts as a sign of life there, so that one byte a second would hold a connection for hours.
///
/// Only the client's time counts: while earlier requests of the connection wait for their answers nothing is read from
/// it, however much it has sent.
struct RequestBodyDeadline {
    private let timeout: TimeAmount
    private var isReadingBody = false
    private var closing: Scheduled<Void>?

    init(_ timeout: TimeAmount) { self.timeout = timeout }

    /// A part of a request arrived.
    mutating func received(_ part: HTTPRequestPart) {
        switch part {
        case .head: isReadingBody = true
        case .body: break
        case .end: isReadingBody = false
        }
    }

    /// Starts or stops the time, after what arrived together was read or a response was sent: most requests are here
    /// whole by then, and cost no timer.
    mutating func schedule(_ context: ChannelHandlerContext, unansweredCount: Int) {
        guard isReadingBody, unansweredCount <= 1 else { return cancel() }
        guard closing == nil else { return }
        closing = context.eventLoop.assumeIsolated().scheduleTask(in: timeout) { context.close(promise: nil) }
    }

    mutating func cancel() {
        closing?.cancel()
        closing = nil
    }
}
