/// A request that leaves the daemon, exactly as it is sent.
package struct OutboundRequest: Sendable {
    package let method: String
    package let url: OutboundURL
    package var headers: [(name: String, value: String)]
    /// The body; `nil` sends none, an empty one is announced with its length.
    package var body: [UInt8]?
    package var addresses: AddressPolicy
    package var limits: OutboundLimits

    /// - Throws: `OutboundError.invalidRequest` when the method is no token, or the URL none that can be sent.
    package init(
        _ method: String, _ url: String, headers: [(name: String, value: String)] = [], body: [UInt8]? = nil,
        addresses: AddressPolicy = .internet, limits: OutboundLimits = OutboundLimits()
    ) throws(OutboundError) {
        guard Self.isToken(method) else { throw .invalidRequest("\(method.debugDescription) is no HTTP method") }
        // A tunnel's bytes are no response.
        guard method != "CONNECT" else { throw .invalidRequest("CONNECT is not sent") }
        self.method = method
        self.url = try OutboundURL(url)
        self.headers = headers
        self.body = body
        self.addresses = addresses
        self.limits = limits
    }

    private static let symbols = Array("!#$%&'*+-.^_`|~".utf8)

    /// True for a token of RFC 9110, section 5.6.2.
    private static func isToken(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || symbols.contains(byte)
            }
    }
}

/// The addresses that a request may be sent to.
package enum AddressPolicy: Hashable, Sendable {
    /// Hosts of the internet, and loopback and private addresses that the URL writes out.
    case internet
    /// Also names that lead to the operator's own network.
    case ownNetwork
    /// Any address: for Unix sockets of the daemon's own agents, and for the address of a daemon on a command line.
    case unrestricted

    package init(isInternal: Bool) { self = isInternal ? .ownNetwork : .internet }
}

/// Limits of a single request.
package struct OutboundLimits: Hashable, Sendable {
    /// Time until the response's head, connecting included.
    package var headTimeout: Duration
    /// Time until the response's last byte, from the request's head on.
    package var totalTimeout: Duration
    /// Maximum bytes of the response's body.
    package var bodyBytesMax: Int

    package init(
        headTimeout: Duration = .seconds(10), totalTimeout: Duration? = nil, bodyBytesMax: Int = 1024 * 1024
    ) {
        self.headTimeout = headTimeout
        self.totalTimeout = totalTimeout ?? headTimeout
        self.bodyBytesMax = bodyBytesMax
    }

    /// The total timeout of responses that are streams.
    package static let streamTimeout = Duration.seconds(24 * 3600)
}
