/// The `resource` of a rule: one URL, or with `*` at its end all that begin so; `*` alone is every URL.
///
/// A resource without a path stands for the whole host. Queries are no part of it: a rule holds whatever the query.
package struct ResourcePattern: Hashable, Sendable, CustomStringConvertible {
    private enum Kind: Hashable, Sendable {
        case everything
        case exactly(NormalizedURL)
        case beginning(NormalizedURL)
    }

    /// As it was written.
    package let text: String
    private let kind: Kind

    package static let everything = ResourcePattern()

    private init() { (text, kind) = ("*", .everything) }

    package init(_ text: String) throws(InvalidURL) {
        self.text = text
        guard text != "*" else {
            kind = .everything
            return
        }
        let isPrefix = text.hasSuffix("*")
        let url = isPrefix ? String(text.dropLast()) : text
        guard !url.contains("*") else { throw InvalidURL("may have * at its end only") }
        guard !url.contains("?"), !url.contains("#") else {
            throw InvalidURL("must have no query or fragment: a rule holds whatever the query")
        }
        let normalized = try NormalizedURL(url)
        guard normalized.hasPath || !isPrefix else {
            throw InvalidURL("must have its * after a path; https://host/* is all of a host")
        }
        let path = url.drop { $0 != ":" }.dropFirst(3).drop { $0 != "/" }
        guard !PathNormalization.hasDotSegments(path) else { throw InvalidURL("must have no . or .. in its path") }
        kind = isPrefix || !normalized.hasPath ? .beginning(normalized) : .exactly(normalized)
    }

    package var description: String { text }

    /// Whether every reading of the URL lies in the pattern: what an allow rule asks.
    func surelyCovers(_ url: NormalizedURL) -> Bool {
        switch kind {
        case .everything: true
        case .exactly(let mine):
            url.hasOrigin(of: mine) && url.path == mine.path
                && url.readings.allSatisfy { mine.readings.contains($0) }
        case .beginning(let mine):
            url.hasOrigin(of: mine) && url.path.utf8.starts(with: mine.path.utf8)
                && url.readings.allSatisfy { reading in mine.readings.contains { reading.isUnder($0, mine) } }
        }
    }

    /// Whether some reading of the URL lies in the pattern: what a rule that denies or asks for approval asks.
    func possiblyCovers(_ url: NormalizedURL) -> Bool {
        switch kind {
        case .everything: true
        case .exactly(let mine):
            url.mayHaveOrigin(of: mine) && url.readings.contains { mine.readings.contains($0) }
        case .beginning(let mine):
            url.mayHaveOrigin(of: mine)
                && url.readings.contains { reading in mine.readings.contains { reading.isUnder($0, mine) } }
        }
    }
}

extension String {
    /// Whether the reading begins with a pattern's; one that ends with a slash also covers its own name.
    fileprivate func isUnder(_ prefix: String, _ pattern: NormalizedURL) -> Bool {
        guard utf8.starts(with: prefix.utf8) else { return false }
        guard pattern.path.hasSuffix("/"), prefix.utf8.count > 1 else { return true }
        return utf8.count == prefix.utf8.count || utf8.dropFirst(prefix.utf8.count).first == UInt8(ascii: "/")
    }
}
