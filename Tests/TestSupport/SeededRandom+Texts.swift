extension SeededRandom {
    private static let words = [
        "refund", "the", "order", "please", "customer", "invoice", "transfer", "amount", "account", "to", "from",
        "check", "status", "and", "send", "receipt", "for", "last", "month", "again",
    ]

    /// That many words of an office's correspondence.
    package mutating func sentence(_ count: Int) -> String {
        (0..<count).map { _ in Self.words[Int(next() % UInt64(Self.words.count))] }.joined(separator: " ")
    }

    /// That many bytes in hexadecimal digits.
    package mutating func hex(_ byteCount: Int) -> String {
        (0..<byteCount).map { _ in
            let digits = String(next() & 0xff, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }
}
