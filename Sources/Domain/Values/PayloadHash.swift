/// What an approval is bound to: the hash of the bytes that will run.
///
/// `sha256:<hex>` and bare hex of 64 digits are one value, whatever the case; any other text is an opaque
/// string that equals itself alone. The text is kept as its sender wrote it.
package struct PayloadHash: Hashable, Sendable {
    package let text: String

    package init(_ text: String) { self.text = text }

    /// Compares in time that depends on the lengths alone, so that a guess learns nothing from how long it took.
    package func matches(_ other: PayloadHash) -> Bool {
        let mine = canonicalBytes
        let theirs = other.canonicalBytes
        guard mine.count == theirs.count else { return false }
        var difference: UInt8 = 0
        for index in mine.indices { difference |= mine[index] ^ theirs[index] }
        return difference == 0
    }

    private var canonicalBytes: [UInt8] {
        let lowered = text.lowercased()
        let digits = lowered.hasPrefix("sha256:") ? lowered.dropFirst(7) : lowered[...]
        let isDigest = digits.utf8.count == 64 && digits.utf8.allSatisfy { Self.hexDigits.contains($0) }
        return Array((isDigest ? String(digits) : text).utf8)
    }

    private static let hexDigits = Array("0123456789abcdef".utf8)
}
