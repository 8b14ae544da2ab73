import NIOCore

/// Has a connection keep one small buffer for what it reads.
///
/// By itself a channel keeps four, each of up to 64 KiB once large bodies have come, for as long as it is open:
/// thousands of connections that have sent one would hold hundreds of megabytes.
final class ReceiveBufferLimit: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = NIOAny

    private static let bytesMax = 16 * 1024

    func handlerAdded(context: ChannelHandlerContext) {
        let options = context.channel.syncOptions
        // A channel that has been closed meanwhile takes none, and needs none.
        try? options?.setOption(.maxMessagesPerRead, value: 1)
        try? options?.setOption(
            .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 64, initial: 2048, maximum: Self.bytesMax))
    }
}
