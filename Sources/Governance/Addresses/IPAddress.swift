/// An IP address, as a name resolves to it or as a URL writes it.
package enum IPAddress: Hashable, Sendable, CustomStringConvertible {
    case v4(UInt32)
    case v6(UInt128)

    /// Reads a dotted quad or an IPv6 address (RFC 4291, 2.2) without brackets and zone; `nil` for anything else.
    package init?(_ text: String) {
        if text.contains(":") {
            guard let value = Self.v6(text) else { return nil }
            self = .v6(value)
        } else {
            guard let value = Self.v4(text) else { return nil }
            self = .v4(value)
        }
    }

    /// Reads the labels of a host as browsers and `inet_aton` do: `127.1`, `0x7f.1` and `2130706433` are 127.0.0.1.
    init?(numericHost labels: [Substring]) {
        guard labels.count <= 4 else { return nil }
        var numbers: [UInt64] = []
        for label in labels {
            let (digits, radix) =
                label.hasPrefix("0x")
                ? (label.dropFirst(2), 16) : label.hasPrefix("0") ? (label.dropFirst(), 8) : (label, 10)
            guard digits.utf8.allSatisfy(\.isHexDigit), let number = digits.isEmpty ? 0 : UInt64(digits, radix: radix)
            else { return nil }
            numbers.append(number)
        }
        guard let last = numbers.popLast(), numbers.allSatisfy({ $0 < 256 }) else { return nil }
        let bits = UInt64(8 * (4 - numbers.count))
        guard last < 1 << bits else { return nil }
        let high = numbers.reduce(0) { $0 << 8 | $1 }
        self = .v4(UInt32(high << bits | last))
    }

    /// Four decimal numbers; IPv6 as RFC 5952 writes it.
    package var description: String {
        switch self {
        case .v4(let value): (0..<4).map { String(value >> UInt32(24 - 8 * $0) & 255) }.joined(separator: ".")
        case .v6(let value): Self.text(value)
        }
    }

    private static func v4(_ text: some StringProtocol) -> UInt32? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var value: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy(\.isDigit), let byte = UInt8(part),
                part.utf8.count == 1 || part.utf8.first != UInt8(ascii: "0")
            else { return nil }
            value = value << 8 | UInt32(byte)
        }
        return value
    }

    private static func v6(_ text: String) -> UInt128? {
        guard let gap = text.firstRange(of: "::") else {
            guard let groups = groups(text[...]), groups.count == 8 else { return nil }
            return joined(groups)
        }
        guard let before = groups(text[..<gap.lowerBound], mayEndInIPv4: false),
            let after = groups(text[gap.upperBound...]),
            before.count + after.count < 8
        else { return nil }
        return joined(before + Array(repeating: 0, count: 8 - before.count - after.count) + after)
    }

    /// Groups of 16 bits; an IPv4 address at the end is two.
    private static func groups(_ text: Substring, mayEndInIPv4: Bool = true) -> [UInt16]? {
        guard !text.isEmpty else { return [] }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        var groups: [UInt16] = []
        for (index, part) in parts.enumerated() {
            if mayEndInIPv4, part.contains("."), index == parts.count - 1, let address = v4(part) {
                groups += [UInt16(address >> 16), UInt16(address & 0xffff)]
            } else {
                guard (1...4).contains(part.utf8.count), part.utf8.allSatisfy(\.isHexDigit),
                    let group = UInt16(part, radix: 16)
                else { return nil }
                groups.append(group)
            }
        }
        return groups
    }

    private static func joined(_ groups: [UInt16]) -> UInt128 { groups.reduce(0) { $0 << 16 | UInt128($1) } }

    private static func text(_ value: UInt128) -> String {
        let groups = (0..<8).map { UInt16(truncatingIfNeeded: value >> UInt128(112 - 16 * $0)) }
        var longest = 0..<0
        var start = 0
        while start < 8 {
            let zeros = groups[start...].prefix { $0 == 0 }
            if zeros.count > max(1, longest.count) { longest = zeros.startIndex..<zeros.endIndex }
            start += max(1, zeros.count)
        }
        func hex(_ groups: ArraySlice<UInt16>) -> String { groups.map { String($0, radix: 16) }.joined(separator: ":") }
        guard !longest.isEmpty else { return hex(groups[...]) }
        return hex(groups[..<longest.lowerBound]) + "::" + hex(groups[longest.upperBound...])
    }
}
