/// Words that tools and rules are marked with, compared without regard to case.
package struct RiskTags: Hashable, Sendable {
    /// Lower case.
    package let words: Set<String>

    package init(_ words: [String]) { self.words = Set(words.map { $0.lowercased() }) }

    private init(lowerCase words: Set<String>) { self.words = words }

    package var isEmpty: Bool { words.isEmpty }

    package func union(_ other: RiskTags) -> RiskTags { RiskTags(lowerCase: words.union(other.words)) }

    package func overlaps(_ other: RiskTags) -> Bool { !words.isDisjoint(with: other.words) }
}
