import NIOCore

#if canImport(Glibc)
    import Glibc
#endif

/// Closes a connection to the gate at once when its agent instance has as many as it may have.
///
/// The kernel says which process has connected (`SO_PEERCRED`); the agent has no say in it, and nothing has to be read
/// from the connection.
final class AgentConnectionLimit: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = NIOAny

    /// The kernel's `struct ucred`.
    private struct Credentials: Sendable {
        let process: Int32
        let user: UInt32
        let group: UInt32
    }

    private let connections: AgentConnections
    private var instance: PeerInstance?

    init(_ connections: AgentConnections) { self.connections = connections }

    func channelActive(context: ChannelHandlerContext) {
        // On the connection's own event loop the answer is there when this returns.
        process(of: context.channel).assumeIsolated().whenComplete { result in
            let instance = PeerInstance(process: (try? result.get()) ?? 0)
            guard self.connections.take(instance) else { return context.close(promise: nil) }
            self.instance = instance
            context.fireChannelActive()
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        if let instance { connections.release(instance) }
        instance = nil
        context.fireChannelInactive()
    }

    private func process(of channel: any Channel) -> EventLoopFuture<Int32> {
        #if os(Linux)
            if let socket = channel as? any SocketOptionProvider {
                let credentials: EventLoopFuture<Credentials> = socket.unsafeGetSocketOption(
                    level: .socket, name: .init(rawValue: SO_PEERCRED))
                return credentials.map(\.process)
            }
        #endif
        return channel.eventLoop.makeSucceededFuture(0)
    }
}
