package import NIOCore
package import NIOEmbedded
package import NIOHTTP1
package import Outbound

/// A connection with the guards where the client has them, and a recorder in the client library's place.
package struct GuardedConnection {
    package let channel = EmbeddedChannel()
    package let recorder = Recorder()
    private let requests = ExpectedRequests()

    package final class Recorder: ChannelInboundHandler {
        package typealias InboundIn = HTTPClientResponsePart

        package private(set) var parts: [HTTPClientResponsePart] = []
        package private(set) var errors: [any Error] = []

        package func channelRead(context: ChannelHandlerContext, data: NIOAny) { parts.append(unwrapInboundIn(data)) }
        package func errorCaught(context: ChannelHandlerContext, error: any Error) { errors.append(error) }
    }

    package init() throws {
        let exchange = Exchange()
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandlers([
            ByteGuard(exchange), HTTPRequestEncoder(),
            ByteToMessageHandler(HTTPResponseDecoder(informationalResponseStrategy: .forward)),
            MessageGuard(exchange, requests), recorder,
        ])
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    }

    /// Sends a request as the client library does.
    package func send(_ request: OutboundRequest, as change: (inout HTTPRequestHead) -> Void = { _ in }) {
        let number = requests.add(ExpectedRequest(request))
        var head = HTTPRequestHead(version: .http1_1, method: .init(rawValue: request.method), uri: "/")
        for header in request.headers { head.headers.add(name: header.name, value: header.value) }
        head.headers.add(name: ExpectedRequest.headerName, value: String(number))
        head.headers.add(name: "Host", value: "example.com")
        change(&head)
        channel.write(HTTPClientRequestPart.head(head), promise: nil)
        channel.write(HTTPClientRequestPart.end(nil), promise: nil)
        channel.flush()
        channel.embeddedEventLoop.run()
    }

    /// Gives the peer's bytes to the connection. Errors are the recorder's.
    package func receive(_ bytes: some Sequence<UInt8>) { _ = try? channel.writeInbound(ByteBuffer(bytes: bytes)) }

    /// Ends the connection, as the peer does, with the bytes of a response that its end completes.
    package func end() { _ = try? channel.finish() }

    /// The bytes that were sent.
    package var sent: String {
        get throws {
            var text = ""
            while let part = try channel.readOutbound(as: IOData.self) {
                guard case .byteBuffer(let buffer) = part else { continue }
                text += String(buffer: buffer)
            }
            return text
        }
    }

    /// The status of the response; `nil` before its head.
    package var status: UInt? {
        guard case .head(let head)? = recorder.parts.first else { return nil }
        return head.status.code
    }

    /// The body so far.
    package var body: [UInt8] {
        recorder.parts.flatMap { part in
            if case .body(let buffer) = part { Array(buffer.readableBytesView) } else { [UInt8]() }
        }
    }

    /// True when the response has come to its end.
    package var isWhole: Bool { if case .end? = recorder.parts.last { true } else { false } }

    /// The error of the call.
    package var failure: OutboundError? { recorder.errors.lazy.compactMap { $0 as? OutboundError }.first }

    /// True when the parts are those that the client library can take: one head, bodies, at most one end.
    package var isInOrder: Bool {
        recorder.parts.enumerated().allSatisfy { index, part in
            switch part {
            case .head(let head): index == 0 && (200...599).contains(head.status.code)
            case .body: index > 0
            case .end: index > 0 && index == recorder.parts.count - 1
            }
        }
    }
}
