package import AsyncHTTPClient
import Governance
import NIOCore
import NIOPosix
import NIOSSL

/// The connections to tools and models: each checks the address that it came to, whatever the name said before.
package struct EgressClients: Sendable {
    /// A connection that led to an address where the tool's calls may not go.
    struct AddressRefused: Error {
        let address: IPAddress
    }

    /// To hosts that the tool names by their address, or as the gate's own.
    private let named: HTTPClient
    /// To tools that are said to be on the own network.
    private let ownNetwork: HTTPClient
    private let internet: HTTPClient

    /// - Parameter configuration: of every client; must not follow redirects, nor try again.
    package init(_ configuration: HTTPClient.Configuration) {
        named = HTTPClient(configuration: configuration)
        ownNetwork = Self.client(configuration, [.global, .private, .shared, .loopback])
        internet = Self.client(configuration, [.global])
    }

    package func shutdown() async throws {
        for client in [named, ownNetwork, internet] { try await client.shutdown() }
    }

    func client(for tool: GovernedTool) -> HTTPClient {
        client(host: tool.baseURL.host, isInternal: tool.isInternal)
    }

    /// - Parameter host: as a normalized URL has it.
    func client(host: String, isInternal: Bool) -> HTTPClient {
        let host = host.filter { $0 != "[" && $0 != "]" }
        if IPAddress(host) != nil || host == "localhost" || host.hasSuffix(".localhost") { return named }
        return isInternal ? ownNetwork : internet
    }

    private static func client(_ configuration: HTTPClient.Configuration, _ kinds: Set<AddressKind>) -> HTTPClient {
        var configuration = configuration
        let check: @Sendable (any Channel) -> EventLoopFuture<Void> = { channel in
            guard let text = channel.remoteAddress?.ipAddress, let address = IPAddress(text) else {
                return channel.eventLoop.makeSucceededVoidFuture()
            }
            guard kinds.contains(address.kind) else {
                return channel.eventLoop.makeFailedFuture(AddressRefused(address: address))
            }
            return channel.eventLoop.makeSucceededVoidFuture()
        }
        configuration.http1_1ConnectionDebugInitializer = check
        configuration.http2ConnectionDebugInitializer = check
        return HTTPClient(configuration: configuration)
    }

    /// Whether the error says that there was no connection to send anything on.
    static func neverSent(_ error: any Error) -> Bool {
        switch error {
        case let error as HTTPClientError:
            error == .connectTimeout || error == .getConnectionFromPoolTimeout || error == .emptyHost
                || error == .tlsHandshakeTimeout
        case is NIOConnectionError, is NIOSSLError, is NIOSSLExtraError, is BoringSSLError: true
        case ChannelError.connectTimeout: true
        // Other codes can also be those of a connection that was up.
        case let error as IOError: error.errnoCode == ECONNREFUSED || error.errnoCode == EADDRNOTAVAIL
        default: false
        }
    }
}
