import NIOHTTP1

/// The requests of a connection that are not over, and what their framing asks of their responses (RFC 9112).
struct Exchanges {
    private struct Exchange {
        let isHead: Bool
        /// True for HTTP/1.0, which knows no chunks.
        let isUnchunked: Bool
        var closes: Bool
        /// True while the client holds its body back for an interim response (RFC 9110, section 10.1.1).
        var awaitsContinue: Bool
        var isReceived = false
        var isAnswered = false
    }

    enum Received: Equatable {
        case forward
        /// A part of a body that has its response already.
        case discard
        /// More of it than is discarded.
        case close
    }

    enum ResponseBody: Equatable {
        case send
        /// The response to HEAD ends with its head.
        case omit
    }

    /// In order; only the last may be unreceived, and an answered one that is unreceived is the only one.
    private var open: [Exchange] = []
    private var isUnreadable = false
    private var bytesDiscarded = 0
    private let bytesDiscardedMax: Int

    init(bytesDiscardedMax: Int) { self.bytesDiscardedMax = bytesDiscardedMax }

    /// True while a body arrives whose response is sent, or bytes that are no request.
    var isDiscarding: Bool { isUnreadable || open.first.map { $0.isAnswered && !$0.isReceived } ?? false }

    /// A request begins. Every spelling of `Connection: close` becomes that one; HTTP/1.0, a body whose end cannot be known,
    /// and the wish for another protocol mean it too.
    mutating func received(_ head: inout HTTPRequestHead) {
        let isUnchunked = head.version != .http1_1
        let options = head.headers[canonicalForm: "connection"].map { $0.lowercased() }
        let closes =
            isUnchunked || options.contains("close") || Self.endsDecoding(head, options)
            || head.headers["transfer-encoding"].contains { $0.lowercased() != "chunked" }
        if closes { head.headers.replaceOrAdd(name: "connection", value: "close") }
        Self.setOriginForm(&head)
        // HTTP/1.0 does without it; what is behind here refuses requests that lack it.
        if isUnchunked, !head.headers.contains(name: "host") { head.headers.add(name: "host", value: "localhost") }
        let expects = head.headers[canonicalForm: "expect"].contains { $0.lowercased() == "100-continue" }
        open.append(
            Exchange(
                isHead: head.method == .HEAD, isUnchunked: isUnchunked, closes: closes,
                awaitsContinue: expects && !isUnchunked))
    }

    /// Bytes arrive that are no HTTP, or follow such.
    mutating func receivedUnreadable(_ count: Int) -> Received {
        isUnreadable = true
        bytesDiscarded += count
        return bytesDiscarded > bytesDiscardedMax ? .close : .discard
    }

    /// True for a request after which the decoder expects another protocol, and reads no further request.
    private static func endsDecoding(_ head: HTTPRequestHead, _ options: [String]) -> Bool {
        head.method == .CONNECT || options.contains("upgrade") && head.headers.contains(name: "upgrade")
    }

    /// Gives the target the form that routes have: the host of a URL in it takes the place of `Host` (RFC 9112, section
    /// 3.2.2). Of a target that is none of this server's, nothing is left that could be taken for a path.
    private static func setOriginForm(_ head: inout HTTPRequestHead) {
        switch RequestTarget(head.uri) {
        case .origin, .asterisk: break
        case .absolute(let authority, let origin):
            head.uri = origin
            if head.headers["host"].count == 1 { head.headers.replaceOrAdd(name: "host", value: authority) }
        case .other where head.method == .CONNECT: break
        case .other: head.uri = "*"
        }
    }

    mutating func receivedBody(_ count: Int) -> Received {
        guard let last = open.indices.last else { return .forward }
        open[last].awaitsContinue = false
        guard open[last].isAnswered else { return .forward }
        bytesDiscarded += count
        return bytesDiscarded > bytesDiscardedMax ? .close : .discard
    }

    mutating func receivedEnd() {
        guard let last = open.indices.last else { return }
        open[last].isReceived = true
        open[last].awaitsContinue = false
        if open[last].isAnswered { open.removeLast() }
        bytesDiscarded = 0
    }

    /// Takes the client's wait for an interim response; true when there is one to end.
    mutating func takeContinue() -> Bool {
        guard let index = open.firstIndex(where: { !$0.isAnswered }), open[index].awaitsContinue else { return false }
        open[index].awaitsContinue = false
        return true
    }

    /// Fits a response's head to its request.
    mutating func send(_ head: inout HTTPResponseHead) {
        guard let index = open.firstIndex(where: { !$0.isAnswered }) else { return }
        // A client that got no interim response may send its body or leave it out: the next request cannot be told from it.
        if open[index].awaitsContinue { open[index].closes = true }
        // The router says 0 of a body that it leaves out and whose length is unknown.
        if open[index].isHead, head.headers["content-length"] == ["0"] { head.headers.remove(name: "content-length") }
        if open[index].closes { head.headers.replaceOrAdd(name: "connection", value: "close") }
        guard open[index].isUnchunked else { return }
        head.version = .http1_0
        head.headers.remove(name: "transfer-encoding")
    }

    var responseBody: ResponseBody {
        open.first { !$0.isAnswered }?.isHead == true ? .omit : .send
    }

    /// A response is sent.
    ///
    /// - Returns: true when the connection takes no further request.
    mutating func sentEnd() -> Bool {
        guard let index = open.firstIndex(where: { !$0.isAnswered }) else { return false }
        let exchange = open[index]
        if exchange.isReceived { open.remove(at: index) } else { open[index].isAnswered = true }
        return exchange.closes
    }
}
