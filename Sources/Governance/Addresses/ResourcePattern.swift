/// The `resource` of a rule: one URL, or with `*` at its end all that begin so; `*` alone is every URL.
///
/// A resource without a path stands for the whole host. Queries are no part of it: a rule holds whatever the query.
package struct ResourcePattern: Hashable, Sendable, CustomStringConvertible {
    private enum Kind: Hashable, Sendable {
        case everything
        case exactly
        case beginning
    }

    /// As it was written.
    package let text: String
    private let kind: Kind
    /// The one that `kind` speaks of, in an array: a rule is copied often, and its URL need not be.
    private let urls: [NormalizedURL]

    package static let everything = ResourcePattern()

    private init() { (text, kind, urls) = ("*", .everything, []) }

    package init(_ text: String) throws(InvalidURL) {
        self.text = text
        guard text != "*" else {
            (kind, urls) = (.everything, [])
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
        (kind, urls) = (isPrefix || !normalized.hasPath ? .beginning : .exactly, [normalized])
    }

    package var description: String { text }

    /// Whether the pattern can cover any URL at all of that one's origin.
    func mayCoverSome(withOriginOf url: NormalizedURL) -> Bool {
        kind == .everything || url.mayHaveOrigin(of: urls[0])
    }

    /// Whether every reading of the URL lies in the pattern: what an allow rule asks.
    func surelyCovers(_ url: NormalizedURL) -> Bool {
        switch kind {
        case .everything: true
        case .exactly:
            url.hasOrigin(of: urls[0]) && url.path == urls[0].path
                && url.readings.agree(with: urls[0].readings) { $0 == $1 }
        case .beginning:
            url.hasOrigin(of: urls[0]) && url.path.begins(with: urls[0].path)
                && url.readings.agree(with: urls[0].readings) {
                    $0.isUnder($1, endsWithSlash: urls[0].path.hasFinalSlash)
                }
        }
    }

    /// Whether some reading of the URL lies in the pattern: what a rule that denies or asks for approval asks.
    func possiblyCovers(_ url: NormalizedURL) -> Bool {
        switch kind {
        case .everything: true
        case .exactly:
            url.mayHaveOrigin(of: urls[0]) && url.readings.mayAgree(with: urls[0].readings) { $0 == $1 }
        case .beginning:
            url.mayHaveOrigin(of: urls[0])
                && url.readings.mayAgree(with: urls[0].readings) {
                    $0.isUnder($1, endsWithSlash: urls[0].path.hasFinalSlash)
                }
        }
    }
}

extension String {
    /// Whether the reading begins with a pattern's; one that ends with a slash also covers its own name.
    fileprivate func isUnder(_ prefix: String, endsWithSlash: Bool) -> Bool {
        guard begins(with: prefix) else { return false }
        guard endsWithSlash, prefix.utf8.count > 1 else { return true }
        return utf8.count == prefix.utf8.count || utf8.dropFirst(prefix.utf8.count).first == UInt8(ascii: "/")
    }

    fileprivate var hasFinalSlash: Bool { utf8.last == UInt8(ascii: "/") }

    /// Whether the bytes of the prefix are the first of these.
    fileprivate func begins(with prefix: String) -> Bool {
        let whole = utf8.withContiguousStorageIfAvailable { mine in
            prefix.utf8.withContiguousStorageIfAvailable { theirs in
                mine.count >= theirs.count && mine.prefix(theirs.count).elementsEqual(theirs)
            }
        }
        return (whole ?? nil) ?? utf8.starts(with: prefix.utf8)
    }
}
