import NIOCore
import NIOHTTP1

/// The rules for what a peer may send on a connection, and when.
///
/// The client library behind it traps on messages that it does not expect. It sees a head with a final status, body
/// parts and an end, in this order and once for each request, or an error.
struct ResponseSequence {
    enum Verdict: Equatable {
        case forward
        /// An interim response, which is not for the caller.
        case ignore
        case fail(OutboundError)
    }

    private enum State {
        /// No request is open.
        case idle
        case awaitingHead
        case receivingBody
        /// The connection is being closed, and nothing more of it counts.
        case failed
    }

    /// Interim responses that a request may have (RFC 9110, section 15.2).
    static let interimResponsesMax = 8
    /// Maximum bytes of a response's head, interim responses and trailers.
    static let headBytesMax = 64 * 1024
    /// Bytes beside the body that each byte of the body may take, in chunks of one byte with extensions.
    static let framingFactor = 16

    private var state = State.idle
    private var interimResponses = 0
    private var bytes = 0
    private var bodyBytes = 0
    private var bodyBytesMax = 0
    private var isDecoding = false
    private var isEarly = false

    var isIdle: Bool { if case .idle = state { true } else { false } }
    var isFailed: Bool { if case .failed = state { true } else { false } }

    /// A request begins to be sent. False when another is open.
    mutating func begin(bodyBytesMax: Int) -> Bool {
        guard isIdle else { return false }
        let isDecoding = isDecoding
        self = ResponseSequence()
        state = .awaitingHead
        // What is left of these bytes was sent before the request.
        (self.isDecoding, isEarly) = (isDecoding, isDecoding)
        self.bodyBytesMax = bodyBytesMax
        return true
    }

    mutating func fail() { state = .failed }

    /// Bytes arrived, and the decoder reads them next.
    mutating func willDecode(_ count: Int) {
        bytes += count
        isDecoding = true
    }

    /// The decoder has read the bytes that arrived.
    mutating func didDecode() -> OutboundError? {
        (isDecoding, isEarly) = (false, false)
        guard !isIdle, !isFailed, bytes - bodyBytes > Self.headBytesMax + Self.framingFactor * bodyBytes else {
            return nil
        }
        state = .failed
        return .malformed("its head, or what frames its body, is larger than \(Self.headBytesMax) bytes")
    }

    mutating func received(_ part: HTTPClientResponsePart) -> Verdict {
        guard !isEarly else { return failed(.malformed("it came before its request")) }
        switch (part, state) {
        case (_, .failed): return .ignore
        case (.head(let head), .awaitingHead): return received(head)
        case (.body(let body), .receivingBody):
            bodyBytes += body.readableBytes
            guard bodyBytes <= bodyBytesMax else { return failed(.tooLarge(bytesMax: bodyBytesMax)) }
            return .forward
        case (.end, .receivingBody):
            state = .idle
            return .forward
        case (.head, .idle), (.body, .idle), (.end, .idle):
            return failed(.malformed("it came without a request"))
        case (.head, .receivingBody), (.body, .awaitingHead), (.end, .awaitingHead):
            return failed(.malformed("its parts are out of order"))
        }
    }

    private mutating func received(_ head: HTTPResponseHead) -> Verdict {
        switch head.status.code {
        // Continue and Early Hints say nothing of the request's outcome.
        case 100, 103:
            interimResponses += 1
            guard interimResponses <= Self.interimResponsesMax else {
                return failed(.malformed("it has more than \(Self.interimResponsesMax) interim responses"))
            }
            return .ignore
        case 200...599:
            if let fault = framingFault(head) { return failed(.malformed(fault)) }
            state = .receivingBody
            return .forward
        case 101: return failed(.malformed("it switches protocols (101), which was not asked for"))
        default: return failed(.malformed("its status is \(head.status.code)"))
        }
    }

    /// Framing of a body that its readers could take for different lengths (RFC 9112, section 6.3).
    private func framingFault(_ head: HTTPResponseHead) -> String? {
        guard head.version.major == 1, head.version.minor <= 1 else { return "its version is \(head.version)" }
        let lengths = head.headers["content-length"]
        let codings = head.headers["transfer-encoding"]
        guard lengths.count <= 1 else { return "it has several Content-Length headers" }
        if let length = lengths.first {
            guard !length.isEmpty, length.utf8.allSatisfy({ (0x30...0x39).contains($0) }), Int(length) != nil else {
                return "its Content-Length is no number"
            }
            guard codings.isEmpty else { return "it has both Content-Length and Transfer-Encoding" }
        }
        guard !codings.isEmpty else { return nil }
        guard head.version.minor == 1 else { return "it has a Transfer-Encoding in HTTP/1.0" }
        guard codings.count == 1, codings.first?.lowercased() == "chunked" else {
            return "its Transfer-Encoding is not chunked alone"
        }
        return nil
    }

    private mutating func failed(_ error: OutboundError) -> Verdict {
        state = .failed
        return .fail(error)
    }
}
