/// An amount of money in millionths of a US dollar: whole numbers, so that sums of many small amounts are exact.
package struct MicroUSD: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let value: UInt64

    package init(_ value: UInt64) { self.value = value }

    package static let zero = MicroUSD(0)

    /// Reads a JSON number of dollars; digits beyond the sixth after the point are rounded to the nearest.
    ///
    /// `nil` for what is negative, no number, or more than `max`.
    package init?(dollars text: String, max: MicroUSD) {
        guard let value = Self.millionths(text), value <= max.value else { return nil }
        self.init(value)
    }

    package static func < (left: Self, right: Self) -> Bool { left.value < right.value }

    /// The sum, at the most what a number can hold.
    package static func + (left: Self, right: Self) -> Self {
        let (sum, overflow) = left.value.addingReportingOverflow(right.value)
        return MicroUSD(overflow ? .max : sum)
    }

    /// What is left of `left`; nothing, when `right` is more.
    package static func - (left: Self, right: Self) -> Self {
        MicroUSD(left.value > right.value ? left.value - right.value : 0)
    }

    /// Dollars, as a JSON number of as few digits as say it exactly.
    package var description: String {
        let (dollars, fraction) = value.quotientAndRemainder(dividingBy: 1_000_000)
        guard fraction > 0 else { return String(dollars) }
        var digits = Array(String(1_000_000 + fraction).utf8.dropFirst())
        while digits.last == UInt8(ascii: "0") { digits.removeLast() }
        return "\(dollars).\(String(decoding: digits, as: UTF8.self))"
    }

    /// The value of a JSON number (RFC 8259, section 6) times a million, without a detour by binary fractions.
    private static func millionths(_ text: String) -> UInt64? {
        let parts = text.lowercased().split(separator: "e", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let exponent = parts.count == 2 ? Int(parts[1]) : 0,
            (-400...400).contains(exponent)
        else { return nil }
        let number = parts[0].split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(number.count), number.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(isDigit) }) else {
            // A zero may have a sign.
            return parts[0].utf8.allSatisfy({ "-0.".utf8.contains($0) }) && parts[0].hasPrefix("-0") ? 0 : nil
        }
        let fraction = number.count == 2 ? number[1] : ""
        let digits = Array((number[0] + fraction).utf8)
        // So many of the digits stand before the point, once it has gone six places and the exponent's to the right.
        let count = number[0].utf8.count + exponent + 6
        var value: UInt64 = 0
        for index in 0..<max(count, 0) {
            let digit = index < digits.count ? UInt64(digits[index] - UInt8(ascii: "0")) : 0
            if value == 0, digit == 0 { continue }
            let (product, tooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflow) = product.addingReportingOverflow(digit)
            guard !tooLarge, !overflow else { return nil }
            value = sum
        }
        let isRoundedUp = digits.indices.contains(count) && digits[count] >= UInt8(ascii: "5")
        return isRoundedUp && value < .max ? value + 1 : value
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}
