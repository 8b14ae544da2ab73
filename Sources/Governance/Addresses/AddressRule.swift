/// The rule for the addresses that the daemon may connect to.
///
/// It is applied to the address of the connection, after the name is resolved and on every connection: a name may
/// have another address the next time.
package struct AddressRule: Hashable, Sendable {
    /// Blocks that the operator allows for every kind of call, whatever they are for.
    package let allowed: [AddressBlock]

    package init(allowed: [AddressBlock] = []) { self.allowed = allowed }

    /// Returns `nil` when a connection may be made, else why not.
    package func refusal(of address: IPAddress, for host: AddressedHost) -> AddressRefusal? {
        let kind = address.kind
        if isAllowed(address) || address.effective.allSatisfy(isAllowed) { return nil }
        let isPermitted =
            switch host.naming {
            case .address, .configured: kind == .global || Self.reachableByAddress.contains(kind)
            case .localhost: kind == .loopback
            case .name(isInternal: true): kind == .global || Self.ofOwnNetwork.contains(kind)
            case .name(isInternal: false): kind == .global
            }
        return isPermitted ? nil : AddressRefusal(address: address, host: host)
    }

    private func isAllowed(_ address: IPAddress) -> Bool { allowed.contains { $0.contains(address) } }

    /// The addresses of the operator's own machines and networks.
    static let ofOwnNetwork: Set<AddressKind> = [.loopback, .private, .shared]

    /// The addresses that a document may write out, and to which a name of the operator's settings may lead. All others
    /// serve no HTTP, or give credentials away.
    private static let reachableByAddress = ofOwnNetwork.union([.documentation, .benchmarking])
}

/// The host of a URL, by the ways in which it may be named.
package struct AddressedHost: Hashable, Sendable {
    package enum Naming: Hashable, Sendable {
        /// An IP address that is written out.
        case address
        /// `localhost`, or a name under it (RFC 6761).
        case localhost
        /// A name of the operator's own settings, which stands for whatever address it has.
        case configured
        /// A name that is resolved; internal when its document says that it is on the operator's network.
        case name(isInternal: Bool)
    }

    package let text: String
    package let naming: Naming
    /// The address that is written out; `nil` for a name.
    package let address: IPAddress?

    /// - Parameters:
    ///   - text: the host as `NormalizedURL` writes it.
    ///   - isInternal: true when the document that names the host has the topology Internal.
    package init(_ text: String, isInternal: Bool) {
        self.text = text
        let bare = text.hasPrefix("[") ? String(text.dropFirst().dropLast()) : text
        address = IPAddress(bare)
        if address != nil {
            naming = .address
        } else if text == "localhost" || text.hasSuffix(".localhost") {
            naming = .localhost
        } else {
            naming = .name(isInternal: isInternal)
        }
    }

    /// - Parameter text: the host as the operator's settings name it; an IPv6 address may lack its brackets.
    package init(configured text: String) {
        let host = AddressedHost(text.contains(":") && !text.hasPrefix("[") ? "[\(text)]" : text, isInternal: true)
        self.text = text
        address = host.address
        naming = host.naming == .name(isInternal: true) ? .configured : host.naming
    }
}

/// A connection that the rule does not permit.
package struct AddressRefusal: Hashable, Sendable {
    package let address: IPAddress
    package let host: AddressedHost

    package init(address: IPAddress, host: AddressedHost) {
        self.address = address
        self.host = host
    }

    /// The reason, with advice.
    ///
    /// - Parameter document: the resource and the member that allow the operator's own network, such as "the tool with
    ///   spec.connection.topology"; `nil` when there is none.
    package func reason(allowing document: String?) -> String {
        let fact = "\(host.text) is at the \(address.kind.rawValue) address \(address)"
        let setting = "allow it with the setting outbound-allow"
        guard AddressRule.ofOwnNetwork.contains(address.kind) else {
            return "\(fact); if it is meant to be, \(setting)"
        }
        guard let document else {
            return "\(fact), which a name may not lead to; write the address itself, or \(setting)"
        }
        return "\(fact); if it is meant to be, store \(document) Internal, or \(setting)"
    }
}
