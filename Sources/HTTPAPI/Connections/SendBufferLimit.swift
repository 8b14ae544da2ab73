#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif
import NIOCore

/// Limits the bytes that the kernel takes for a connection before it can send them.
///
/// By itself it takes megabytes for a client that reads nothing, and the server makes more of a list meanwhile. Bytes in
/// flight are not limited, so that throughput over long distances stays.
final class SendBufferLimit: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = NIOAny

    private static let unsentBytesMax: SocketOptionValue = 128 * 1024

    func handlerAdded(context: ChannelHandlerContext) {
        // Unix sockets have no such option, and a channel that has been closed meanwhile needs none.
        try? context.channel.syncOptions?.setOption(
            .tcpOption(NIOBSDSocket.Option(rawValue: TCP_NOTSENT_LOWAT)), value: Self.unsentBytesMax)
    }
}
