package import Governance
package import NIOCore
import NIOPosix

/// Connections whose bytes are a client's own, which the daemon only carries.
extension OutboundClient {
    package typealias Tunnel = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    private static let tunnelConnectTimeout = TimeAmount.seconds(20)

    /// Opens a connection to a host of the operator's settings, whose address is held against the address rule before the
    /// connection is handed out.
    ///
    /// - Parameter host: a name, or an IP address without brackets.
    package func openTunnel(to host: String, port: UInt16) async throws(OutboundError) -> Tunnel {
        let addressed = AddressedHost(configured: host)
        if let address = addressed.address, let refusal = rule.refusal(of: address, for: addressed) {
            throw .addressRefused(refusal)
        }
        let tunnel = try await connect(to: host, port: port)
        do throws(OutboundError) {
            let address = try ConnectionRules.address(of: tunnel.channel)
            if let refusal = rule.refusal(of: address, for: addressed) { throw .addressRefused(refusal) }
        } catch {
            // A tunnel is closed by its use alone.
            try? await tunnel.executeThenClose { _, _ in }
            throw error
        }
        return tunnel
    }

    private func connect(to host: String, port: UInt16) async throws(OutboundError) -> Tunnel {
        do {
            return try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connectTimeout(Self.tunnelConnectTimeout)
                .channelOption(.allowRemoteHalfClosure, value: true)
                // Runs before the connection is made, when the channel has no address yet.
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
    }
}
