import Gateways
import NIOCore
import NIOHTTPTypes

/// Notices that a client closes its own side of a connection, and closes one on which a stream is sent.
///
/// The server leaves such a connection half open, since a client may end its side and still wait for its answer. A
/// stream has no end to wait for, and one in which nothing happens would never find out that nobody reads it.
final class StreamDeparture: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = NIOAny

    private var isStreaming = false
    private var isInputClosed = false
    private var caller: CallerPresence?

    /// Runs the body, which sends a stream on that channel.
    static func watching<Value>(_ channel: any Channel, _ body: () async throws -> Value) async rethrows -> Value {
        set(channel, isStreaming: true)
        defer { set(channel, isStreaming: false) }
        return try await body()
    }

    /// The presence of the client whose request is read from that channel, until the next request of it.
    static func presence(on channel: any Channel) -> CallerPresence {
        let caller = CallerPresence()
        channel.eventLoop.execute {
            guard let handler = try? channel.pipeline.syncOperations.handler(type: StreamDeparture.self) else {
                return channel.isActive ? () : caller.leave()
            }
            handler.caller = caller
            if handler.isInputClosed { caller.leave() }
        }
        return caller
    }

    private static func set(_ channel: any Channel, isStreaming: Bool) {
        channel.eventLoop.execute {
            // It has left the pipeline when the connection is closed.
            guard let handler = try? channel.pipeline.syncOperations.handler(type: StreamDeparture.self) else { return }
            handler.isStreaming = isStreaming
            if isStreaming, handler.isInputClosed { channel.close(promise: nil) }
        }
    }

    /// Ends the stream that is being sent on that channel, with a last part when the client takes it at once, and closes
    /// the connection.
    static func end(_ channel: any Channel, after text: String?) {
        channel.eventLoop.execute {
            let handler = try? channel.pipeline.syncOperations.handler(type: StreamDeparture.self)
            if let text, handler?.isStreaming == true, channel.isWritable {
                channel.write(HTTPResponsePart.body(ByteBuffer(string: text)), promise: nil)
                channel.writeAndFlush(HTTPResponsePart.end(nil), promise: nil)
            }
            channel.close(promise: nil)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent {
            isInputClosed = true
            caller?.leave()
            if isStreaming { context.close(promise: nil) }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        caller?.leave()
        context.fireChannelInactive()
    }
}
