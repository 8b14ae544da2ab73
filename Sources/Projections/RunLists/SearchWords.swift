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

    /// Phrases of FTS5 that a column has when its value is this one.
    ///
    /// They may follow one another without an operator: then those are left out in which its tokenizer finds no word.
    static func phrases(of value: String, in column: String) -> [String] {
        words(value).map { "{\(column)} : \(quoted($0))" }
    }

    /// As an expression of FTS5: strings in quotes, in which the quote alone has a meaning and is doubled.
    func expression(in columns: [String]) -> String {
        "{\(columns.joined(separator: " "))} : (\(words.map(Self.quoted).joined(separator: " AND ")))"
    }

    private static func quoted(_ word: String) -> String { "\"\(word.replacing("\"", with: "\"\""))\"" }

    /// The parts between spaces, control characters and plus signs, which many clients write for spaces, that have
    /// something to search for.
    private static func words(_ text: String) -> [String] {
        text.unicodeScalars.split { scalar in
            scalar == "+" || scalar.properties.isWhitespace || scalar.properties.generalCategory == .control
        }
        .filter { $0.contains(where: \.isIndexed) }
        .map { String($0) }
    }
}

extension Unicode.Scalar {
    /// True for letters and numbers, of which FTS5's tokenizer makes words. Symbols may be alphabetic too, such as Ⓐ.
    fileprivate var isIndexed: Bool {
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber,
            .letterNumber, .otherNumber:
            true
        default: false
        }
    }
}
