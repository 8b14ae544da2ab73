/// The IPv4 addresses in addresses of 64:ff9b:1::/48, the prefix for translators of a local network (RFC 8215).
///
/// An operator chooses the length of the translator's prefix, which the address does not tell. RFC 6052, section 2.2, has
/// the IPv4 address follow a prefix of 48, 56, 64 or 96 bits, leaves bits 64 to 71 zero, and the rest after it too.
enum LocalTranslation {
    private static let prefix: UInt128 = 0x64_ff9b_0001

    /// The IPv4 addresses by each length of prefix that the address may have; none outside the block, and none for an
    /// address that no translator maps.
    static func addresses(in value: UInt128) -> [UInt32] {
        guard value >> 80 == prefix, octets(value, 8, 1) == 0 else { return [] }
        var addresses: [UInt32] = []
        func add(_ address: UInt128, restBegins octet: Int) {
            guard octets(value, octet, 16 - octet) == 0 else { return }
            addresses.append(UInt32(truncatingIfNeeded: address))
        }
        add(octets(value, 6, 2) << 16 | octets(value, 9, 2), restBegins: 11)
        add(octets(value, 7, 1) << 24 | octets(value, 9, 3), restBegins: 12)
        add(octets(value, 9, 4), restBegins: 13)
        add(octets(value, 12, 4), restBegins: 16)
        // Zero where the address was said to be by another length.
        let present = addresses.filter { $0 != 0 }
        return present.isEmpty ? addresses : present
    }

    /// The number in some octets of an address, counted from its first one.
    private static func octets(_ value: UInt128, _ first: Int, _ count: Int) -> UInt128 {
        guard count > 0 else { return 0 }
        return (value << UInt128(8 * first)) >> UInt128(128 - 8 * count)
    }
}
