/// Which tile of a tree: 256 hashes of one level in eight, or the first of them (C2SP tlog-tiles).
package struct TilePath: Hashable, Sendable {
    /// How many hashes a full tile has.
    package static let width = 256
    /// A tree of 2^63 leaves needs no level beyond.
    private static let levelMax = 7

    package let level: Int
    package let index: UInt64
    /// How many hashes; fewer than `width` in the newest tile of a level.
    package let count: Int

    package init(level: Int, index: UInt64, count: Int = width) {
        self.level = level
        self.index = index
        self.count = count
    }

    /// The tile of a path such as `0/x001/067` or `0/x001/068.p/8`; `nil` when it names none.
    package init?(_ text: some StringProtocol) {
        var parts = String(text).split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        var count = Self.width
        if parts.count > 2, let last = parts.last, parts[parts.count - 2].hasSuffix(".p") {
            guard let partial = Self.number(last), (1..<UInt64(Self.width)).contains(partial) else { return nil }
            count = Int(partial)
            parts.removeLast()
            parts[parts.count - 1].removeLast(2)
        }
        guard parts.count >= 2, let level = Self.number(parts[0]), level <= Self.levelMax else { return nil }
        var index: UInt64 = 0
        for (place, part) in parts.dropFirst().enumerated() {
            let isLast = place == parts.count - 2
            let digits = isLast ? part[...] : part.dropFirst()
            guard isLast || part.hasPrefix("x"), digits.utf8.count == 3,
                digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
                let thousand = UInt64(digits)
            else { return nil }
            let (scaled, isTooLarge) = index.multipliedReportingOverflow(by: 1000)
            guard !isTooLarge, scaled <= UInt64.max >> 1 else { return nil }
            index = scaled + thousand
        }
        self.init(level: Int(level), index: index, count: count)
        // One path a tile: no leading groups of zeros.
        guard self.text == text else { return nil }
    }

    /// `0/x001/067`, with `.p/8` when it is not full.
    package var text: String {
        var groups = [Self.threeDigits(index % 1000)]
        var rest = index / 1000
        while rest > 0 {
            groups.append("x" + Self.threeDigits(rest % 1000))
            rest /= 1000
        }
        let path = "\(level)/" + groups.reversed().joined(separator: "/")
        return count == Self.width ? path : path + ".p/\(count)"
    }

    private static func threeDigits(_ number: UInt64) -> String {
        String(repeating: "0", count: 3 - String(number).count) + String(number)
    }

    /// A decimal number without leading zeros.
    private static func number(_ text: String) -> UInt64? {
        UInt64(text).flatMap { String($0) == text ? $0 : nil }
    }
}
