/// A model's name, or a pattern of names, in which each `*` stands for any characters, or none.
///
/// Of two patterns for one name the one with the longer text before its first `*` counts. Two patterns with the same text
/// there conflict when a name may match both, so that each name has at most one best pattern.
package struct ModelNamePattern: Hashable, Sendable {
    /// The longest name that is compared with patterns, in bytes.
    package static let nameBytesMax = 1_024

    package let text: String
    /// The bytes between the stars; one part for a name.
    private let parts: [[UInt8]]

    package init(_ text: String) {
        self.text = text
        parts = text.utf8.split(separator: UInt8(ascii: "*"), omittingEmptySubsequences: false).map(Array.init)
    }

    /// True when it has no `*`, and is the name of one model.
    package var isName: Bool { parts.count == 1 }

    /// The bytes before the first `*`; all of a name.
    package var prefix: [UInt8] { parts[0] }

    private var suffix: [UInt8] { parts[parts.count - 1] }

    /// True when the name matches, byte for byte.
    package func matches(_ name: String) -> Bool {
        guard !isName else { return text.isExactly(name) }
        let bytes = Array(name.utf8)
        guard bytes.count <= Self.nameBytesMax, prefix.count + suffix.count <= bytes.count,
            bytes.starts(with: prefix), bytes.suffix(suffix.count).elementsEqual(suffix)
        else { return false }
        var rest = bytes[prefix.count..<(bytes.count - suffix.count)]
        for part in parts.dropFirst().dropLast() where !part.isEmpty {
            guard let found = rest.firstRange(of: part) else { return false }
            rest = rest[found.upperBound...]
        }
        return true
    }

    /// True when a name may match both patterns, with neither of them the better one.
    ///
    /// What stands between the first and the last `*` of both fits into one name, one after the other, so that the ends
    /// alone decide.
    package func conflicts(with other: ModelNamePattern) -> Bool {
        guard !isName, !other.isName else { return isName && other.isName && text.isExactly(other.text) }
        let isEnd = suffix.count <= other.suffix.count
        let (short, long) = isEnd ? (suffix, other.suffix) : (other.suffix, suffix)
        return prefix == other.prefix && long.suffix(short.count).elementsEqual(short)
    }

    /// The best pattern for the name among those that match it: the name itself, else the one with the longest prefix.
    package static func best(for name: String, of patterns: some Sequence<ModelNamePattern>) -> ModelNamePattern? {
        var best: ModelNamePattern?
        for pattern in patterns where pattern.matches(name) {
            if pattern.isName { return pattern }
            if pattern.prefix.count >= (best?.prefix.count ?? 0) { best = pattern }
        }
        return best
    }
}
