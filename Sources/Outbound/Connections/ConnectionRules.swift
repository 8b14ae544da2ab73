import Governance
import NIOCore
import NIOHTTP1

/// The checks of a new connection, before the first request is sent on it.
struct ConnectionRules: Sendable {
    let rule: AddressRule
    /// The hosts that the connections are for; `nil` for any address.
    let reach: Reach?
    let requests: ExpectedRequests

    /// The ways in which the hosts of one pool of connections are named.
    enum Reach: Hashable, Sendable {
        case internet
        case ownNetwork
        case address
        case localhost
    }

    /// Checks the address that the connection has led to, and puts the guards in their places.
    func apply(to channel: any Channel) -> EventLoopFuture<Void> {
        do throws(OutboundError) {
            try checkAddress(of: channel)
            try addGuards(to: channel)
            return channel.eventLoop.makeSucceededVoidFuture()
        } catch {
            // Closed after the pool knows of the failure: it takes the other order for a connection of its own.
            channel.eventLoop.execute { channel.close(promise: nil) }
            return channel.eventLoop.makeFailedFuture(error)
        }
    }

    private func checkAddress(of channel: any Channel) throws(OutboundError) {
        guard let reach else { return }
        let address = try Self.address(of: channel)
        let host: AddressedHost =
            switch reach {
            case .internet: AddressedHost("a name", isInternal: false)
            case .ownNetwork: AddressedHost("a name", isInternal: true)
            case .address: AddressedHost(address.description, isInternal: false)
            case .localhost: AddressedHost("localhost", isInternal: false)
            }
        if let refusal = rule.refusal(of: address, for: host) { throw .addressRefused(refusal) }
    }

    private func addGuards(to channel: any Channel) throws(OutboundError) {
        let pipeline = channel.pipeline.syncOperations
        let exchange = Exchange()
        do {
            let encoder = try pipeline.handler(type: HTTPRequestEncoder.self)
            let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPResponseDecoder>.self)
            try pipeline.addHandler(ByteGuard(exchange), position: .before(encoder))
            try pipeline.addHandler(MessageGuard(exchange, requests), position: .after(decoder))
        } catch {
            throw .brokeOff("the peer closed it")
        }
    }

    /// The address that a connection has led to.
    static func address(of channel: any Channel) throws(OutboundError) -> IPAddress {
        guard let text = channel.remoteAddress?.ipAddress, let address = IPAddress(withoutZone(text)) else {
            throw .brokeOff("the peer closed it")
        }
        return address
    }

    /// A link-local address carries the interface that it is on.
    private static func withoutZone(_ text: String) -> String { String(text.prefix { $0 != "%" }) }
}
