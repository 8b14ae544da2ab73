/// A block of IP addresses in CIDR notation (RFC 4632), such as `10.0.0.0/8`; an address alone is a block of one.
package struct AddressBlock: Hashable, Sendable, CustomStringConvertible {
    private let address: IPAddress
    private let length: Int

    /// Reads a block; `nil` when the text is none, or has bits beyond its prefix.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let address = IPAddress(String(first)) else { return nil }
        let width = address.bitWidth
        guard parts.count == 2 else {
            (self.address, length) = (address, width)
            return
        }
        guard (1...3).contains(parts[1].utf8.count), parts[1].utf8.allSatisfy(\.isDigit), let length = Int(parts[1]),
            length <= width, address.prefix(length) == address.prefix(width)
        else { return nil }
        (self.address, self.length) = (address, length)
    }

    package var description: String { "\(address)/\(length)" }

    /// True when the address lies in the block.
    package func contains(_ other: IPAddress) -> Bool {
        address.bitWidth == other.bitWidth && other.prefix(length) == address.prefix(length)
    }
}

extension IPAddress {
    fileprivate var bitWidth: Int {
        switch self {
        case .v4: 32
        case .v6: 128
        }
    }

    /// The address with all bits after the first `length` cleared, on the left of 128 bits.
    fileprivate func prefix(_ length: Int) -> UInt128 {
        let bits =
            switch self {
            case .v4(let value): UInt128(value) << 96
            case .v6(let value): value
            }
        return length == 0 ? 0 : (bits >> UInt128(128 - length)) << UInt128(128 - length)
    }
}
