/// What an IP address is for, after the IANA special-purpose registries (RFC 6890 and its successors).
package enum AddressKind: String, Hashable, Sendable, CaseIterable {
    /// A host on the internet.
    case global
    case unspecified, loopback, `private`, shared, multicast, broadcast, documentation, benchmarking, reserved
    case linkLocal = "link-local"
    /// A cloud's metadata service, which gives its callers the machine's credentials.
    case metadata

    /// The order of kinds when an address may be of several: the kinds that fewer rules allow come last.
    fileprivate var danger: Int {
        switch self {
        case .global: 0
        case .documentation, .benchmarking: 1
        case .private, .shared: 2
        case .loopback: 3
        case .unspecified, .multicast, .broadcast, .reserved: 4
        case .linkLocal: 5
        case .metadata: 6
        }
    }
}

extension IPAddress {
    /// What the address is for; one that carries an IPv4 address (mapped, NAT64, 6to4) is what that is.
    ///
    /// An address that translators of several prefix lengths read in different ways is what its most dangerous reading is.
    package var kind: AddressKind {
        let kinds = effective.map { address in
            switch address {
            case .v4(let value): Self.v4Blocks.first { $0.contains(value) }?.kind ?? .global
            case .v6(let value): Self.kind(value)
            }
        }
        return kinds.max { $0.danger < $1.danger } ?? .reserved
    }

    /// The addresses that traffic may end at: the IPv4 addresses that an IPv6 address may carry, else the address itself.
    var effective: [IPAddress] {
        guard case .v6(let value) = self else { return [self] }
        if let address = Self.embedded(in: value) { return [address] }
        let translated = LocalTranslation.addresses(in: value)
        return translated.isEmpty ? [self] : translated.map { .v4($0) }
    }

    private static func kind(_ value: UInt128) -> AddressKind {
        if let block = v6Blocks.first(where: { $0.contains(value) }) { return block.kind }
        // Of the whole space only 2000::/3 is given out for global unicast.
        return value >> 125 == 1 ? .global : .reserved
    }

    /// The IPv4 address that traffic to an IPv6 address ends at.
    private static func embedded(in value: UInt128) -> IPAddress? {
        let low = IPAddress.v4(UInt32(truncatingIfNeeded: value))
        // ::ffff:0:0/96, IPv4-mapped (RFC 4291), ::ffff:0:0:0/96, IPv4-translated (RFC 7915), and 64:ff9b::/96, NAT64
        // (RFC 6052).
        if value >> 32 == 0xffff || value >> 32 == 0xffff_0000 || value >> 32 == 0x64_ff9b_0000_0000_0000_0000 {
            return low
        }
        // 2002::/16, 6to4 (RFC 3056).
        if value >> 112 == 0x2002 { return .v4(UInt32(truncatingIfNeeded: value >> 80)) }
        // The address that a Teredo client is at (RFC 4380), its bits inverted.
        if value >> 96 == 0x2001_0000 { return .v4(~UInt32(truncatingIfNeeded: value)) }
        return nil
    }

    private struct Block<Bits: FixedWidthInteger & Sendable>: Sendable {
        let prefix: Bits
        let length: Int
        let kind: AddressKind

        init(_ prefix: Bits, _ length: Int, _ kind: AddressKind) {
            self.prefix = prefix
            self.length = length
            self.kind = kind
        }

        func contains(_ value: Bits) -> Bool {
            let shift = Bits.bitWidth - length
            return value >> shift == prefix >> shift
        }
    }

    /// The first that contains an address counts.
    private static let v4Blocks: [Block<UInt32>] = [
        Block(0x0000_0000, 8, .unspecified),  // 0.0.0.0/8, this network (RFC 791)
        Block(0x6464_64c8, 32, .metadata),  // 100.100.100.200 (Alibaba Cloud)
        Block(0xa83f_8110, 32, .metadata),  // 168.63.129.16 (Azure)
        Block(0xc000_00c0, 32, .metadata),  // 192.0.0.192 (Oracle Cloud)
        Block(0x0a00_0000, 8, .private),  // 10.0.0.0/8 (RFC 1918)
        Block(0x6440_0000, 10, .shared),  // 100.64.0.0/10, carrier-grade NAT (RFC 6598)
        Block(0x7f00_0000, 8, .loopback),  // 127.0.0.0/8 (RFC 1122)
        Block(0xa9fe_0000, 16, .linkLocal),  // 169.254.0.0/16, with clouds' metadata (RFC 3927)
        Block(0xac10_0000, 12, .private),  // 172.16.0.0/12 (RFC 1918)
        Block(0xc000_0000, 24, .reserved),  // 192.0.0.0/24, protocol assignments (RFC 6890)
        Block(0xc000_0200, 24, .documentation),  // 192.0.2.0/24 (RFC 5737)
        Block(0xc058_6300, 24, .reserved),  // 192.88.99.0/24, 6to4 relays (RFC 7526)
        Block(0xc0a8_0000, 16, .private),  // 192.168.0.0/16 (RFC 1918)
        Block(0xc612_0000, 15, .benchmarking),  // 198.18.0.0/15 (RFC 2544)
        Block(0xc633_6400, 24, .documentation),  // 198.51.100.0/24 (RFC 5737)
        Block(0xcb00_7100, 24, .documentation),  // 203.0.113.0/24 (RFC 5737)
        Block(0xe000_0000, 4, .multicast),  // 224.0.0.0/4 (RFC 5771)
        Block(0xffff_ffff, 32, .broadcast),  // 255.255.255.255 (RFC 8190)
        Block(0xf000_0000, 4, .reserved),  // 240.0.0.0/4 (RFC 1112)
    ]

    private static let v6Blocks: [Block<UInt128>] = [
        Block(0, 128, .unspecified),  // :: (RFC 4291)
        Block(1, 128, .loopback),  // ::1 (RFC 4291)
        Block(0x64_ff9b_0001 << 80, 48, .reserved),  // 64:ff9b:1::/48, local NAT64 (RFC 8215) without an IPv4 address
        Block(0x2001_0db8 << 96, 32, .documentation),  // 2001:db8::/32 (RFC 3849)
        Block(0x2001_0002 << 96, 48, .benchmarking),  // 2001:2::/48 (RFC 5180)
        Block(0x2001 << 112, 23, .reserved),  // 2001::/23, Teredo and other protocols (RFC 2928)
        Block(0x3fff << 112, 20, .documentation),  // 3fff::/20 (RFC 9637)
        Block(0xfd00_0ec2 << 96, 32, .metadata),  // fd00:ec2::/32 (Amazon EC2)
        Block(0xfd20_00ce << 96, 32, .metadata),  // fd20:ce::/32 (Google Cloud)
        Block(0xfc00 << 112, 7, .private),  // fc00::/7, unique local (RFC 4193)
        Block(0xfe80 << 112, 10, .linkLocal),  // fe80::/10 (RFC 4291)
        Block(0xfec0 << 112, 10, .private),  // fec0::/10, once site-local (RFC 3879)
        Block(0xff00 << 112, 8, .multicast),  // ff00::/8 (RFC 4291)
    ]
}
