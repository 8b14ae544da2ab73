/// A model's name, or a pattern of names, in which each `*` stands for any characters, or none.
///
/// Of two patterns for one name the one with the longer text before its first `*` counts. Two patterns with the same text
/// there conflict when a name may match both, so that each name has at most one best pattern.
package struct ModelNamePattern: Hashable, Sendable {
    /// The longest name that is compared with patterns, in bytes.
    package static let nameBytesMax = 1_024

    private let wildcard: WildcardPattern

    package init(_ text: String) { wildcard = WildcardPattern(text) }

    package var text: String { wildcard.text }

    /// True when it has no `*`, and is the name of one model.
    package var isName: Bool { wildcard.isExact }

    /// The bytes before the first `*`; all of a name.
    package var prefix: [UInt8] { wildcard.prefix }

    private var suffix: [UInt8] { wildcard.suffix }

    /// True when the name matches, byte for byte.
    package func matches(_ name: String) -> Bool {
        (isName || name.utf8.count <= Self.nameBytesMax) && wildcard.matches(name)
    }

    /// True when a name may match both patterns, with neither of them the better one.
    ///
    /// The ends alone decide: one name can have the middle parts of both, one after the other.
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
