import Governance
import NIOCore

#if canImport(Glibc)
    import Glibc
#endif

/// The other end of a connection, as far as it can be told before a request is authenticated.
enum ConnectionPeer: Hashable, Sendable {
    case address(IPAddress)
    /// The network of 64 bits of an IPv6 address, which one host has whole.
    case network(UInt64)
    /// The agent instance behind the gate's socket.
    case instance(PeerInstance)
    case unknown

    /// Unique among all peers.
    var name: String {
        switch self {
        case .address(let address): address.description
        case .network(let network): "network \(network)"
        case .instance(.namespace(let name)): "namespace \(name)"
        case .instance(.child(let process)): "process \(process)"
        case .instance(.unknown): "unknown instance"
        case .unknown: "unknown"
        }
    }

    /// The kernel's `struct ucred`.
    private struct Credentials: Sendable {
        let process: Int32
        let user: UInt32
        let group: UInt32
    }

    /// Reads the peer of a connection, on its event loop; the result is there when this returns.
    ///
    /// At a Unix domain socket the kernel says which process has connected (`SO_PEERCRED`); the process has no say in it.
    static func of(_ channel: any Channel) -> EventLoopFuture<ConnectionPeer> {
        if let address = channel.remoteAddress?.ipAddress.flatMap(IPAddress.init) {
            return channel.eventLoop.makeSucceededFuture(ConnectionPeer(address))
        }
        #if os(Linux)
            if let socket = channel as? any SocketOptionProvider {
                let credentials: EventLoopFuture<Credentials> = socket.unsafeGetSocketOption(
                    level: .socket, name: .init(rawValue: SO_PEERCRED))
                return credentials.map { .instance(PeerInstance(process: $0.process)) }
                    .flatMapErrorThrowing { _ in .unknown }
            }
        #endif
        return channel.eventLoop.makeSucceededFuture(.unknown)
    }

    private init(_ address: IPAddress) {
        switch address {
        case .v4: self = .address(address)
        // ::ffff:0:0/96: an IPv4 client of a listener for both.
        case .v6(let value) where value >> 32 == 0xffff: self = .address(.v4(UInt32(truncatingIfNeeded: value)))
        case .v6(let value): self = .network(UInt64(truncatingIfNeeded: value >> 64))
        }
    }
}
