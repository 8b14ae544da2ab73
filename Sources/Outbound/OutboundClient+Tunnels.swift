package import Governance
package import NIOCore
import NIOPosix

/// Connections whose bytes are a client's own, which the daemon only carries.
extension OutboundClient {
    package typealias Tunnel = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    private static let tunnelConnectTimeout = TimeAmount.seconds(20)

    /// Opens a connection to a host that the operator configured, whose address is held against the address rule before
    /// the connection is handed out.
    ///
    /// - Parameter host: a name, or an IP address without brackets.
    package func openTunnel(to host: String, port: UInt16) async throws(OutboundError) -> Tunnel {
        let addressed = AddressedHost(configured: host)
        let tunnel: Tunnel
        do {
            tunnel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connectTimeout(Self.tunnelConnectTimeout)
                .channelOption(.allowRemoteHalfClosure, value: true)
                .connect(host: host, port: Int(port)) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try Tunnel(
                            wrappingChannelSynchronously: channel,
                            configuration: .init(isOutboundHalfClosureEnabled: true))
                    }
                }
        } catch {
            throw OutboundError(error)
        }
        do throws(OutboundError) {
            let address = try ConnectionRules.address(of: tunnel.channel)
            if let refusal = rule.refusal(of: address, for: addressed) { throw .addressRefused(refusal) }
        } catch {
            // Not a byte has been sent. The error says more than that of closing.
            try? await tunnel.executeThenClose { _, _ in }
            throw error
        }
        return tunnel
    }
}
