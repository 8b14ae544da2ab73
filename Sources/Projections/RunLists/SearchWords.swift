import Domain

/// The words of a search. A text matches when it has each of them, in any order; case and accents do not count.
///
/// A word with punctuation inside, as an address, matches where its parts follow one another. The words are never read
/// as FTS5's syntax.
package struct SearchWords: Hashable, Sendable {
    private static let wordsMax = 16
    private static let lengthMax = 256

    private let words: [String]

    /// - Parameter name: the client's name of the search, for the reason of a refusal.
    package init(_ text: String, of name: String) throws(InvalidFilter) {
        words = Self.words(text)
        guard !words.isEmpty else { throw InvalidFilter("\(name) must have a letter or a digit") }
        guard words.count <= Self.wordsMax, text.unicodeScalars.count <= Self.lengthMax else {
            throw InvalidFilter("\(name) must have at most \(Self.wordsMax) words and \(Self.lengthMax) characters")
        }
    }

    private init(words: [String]) { self.words = words }

    /// The words of a whole value that a column of the index holds; `nil` when it has none.
    static func all(of value: String) -> SearchWords? {
        let words = words(value)
        return words.isEmpty ? nil : SearchWords(words: words)
    }

    /// As an expression of FTS5: strings in quotes, in which the quote alone has a meaning and is doubled.
    func expression(in columns: [String]) -> String {
        let strings = words.map { "\"\($0.replacing("\"", with: "\"\""))\"" }
        return "{\(columns.joined(separator: " "))} : (\(strings.joined(separator: " AND ")))"
    }

    /// The parts between spaces, control characters and plus signs, which many clients write for spaces, that have
    /// something to search for.
    private static func words(_ text: String) -> [String] {
        text.unicodeScalars.split { scalar in
            scalar == "+" || scalar.properties.isWhitespace || scalar.properties.generalCategory == .control
        }
        .filter { $0.contains { $0.properties.isAlphabetic || $0.properties.numericType != nil } }
        .map { String($0) }
    }
}
